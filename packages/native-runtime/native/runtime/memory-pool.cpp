#include "memory-pool.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include <sys/mman.h>

#include "errors.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define HEML_POISON(address, bytes) __asan_poison_memory_region(reinterpret_cast<void*>(address), bytes)
#define HEML_UNPOISON(address, bytes) __asan_unpoison_memory_region(reinterpret_cast<void*>(address), bytes)
#else
#define HEML_POISON(address, bytes) ((void)0)
#define HEML_UNPOISON(address, bytes) ((void)0)
#endif

namespace heml {

namespace {

constexpr size_t PAGE = 4096;
constexpr size_t HUGE_PAGE = size_t{2} << 20;
// Secrets are few: a limb of N = 2^16 is 512 KB.
constexpr size_t SECRET_REGION = size_t{8} << 20;

size_t roundUp(size_t bytes, size_t unit) {
    if (bytes > std::numeric_limits<size_t>::max() - unit) throw MemoryError("a buffer of 2^64 bytes was asked for");
    return (bytes + unit - 1) / unit * unit;
}

// Maps `bytes` (a multiple of the huge page) aligned to a huge page: map one more, cut both ends.
void* mapAligned(size_t bytes, bool hugePages, bool secret) {
    const size_t wanted = bytes + HUGE_PAGE;
    void* raw = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (raw == MAP_FAILED) throw MemoryError("the system refused " + std::to_string(bytes) + " bytes of memory");
    const uintptr_t start = reinterpret_cast<uintptr_t>(raw);
    const uintptr_t aligned = (start + HUGE_PAGE - 1) & ~uintptr_t{HUGE_PAGE - 1};
    if (aligned > start) munmap(raw, aligned - start);
    const uintptr_t end = aligned + bytes;
    if (start + wanted > end) munmap(reinterpret_cast<void*>(end), start + wanted - end);
    // a locked page must not hold a huge one of free neighbours
    if (hugePages && !secret) madvise(reinterpret_cast<void*>(aligned), bytes, MADV_HUGEPAGE);   // advice only; may be refused
#ifdef MADV_DONTDUMP
    if (secret) madvise(reinterpret_cast<void*>(aligned), bytes, MADV_DONTDUMP);
#else
    (void)secret;
#endif
    return reinterpret_cast<void*>(aligned);
}

}  // namespace

const char* memoryKindName(MemoryKind kind) {
    switch (kind) {
        case MemoryKind::Ciphertext:
            return "ciphertext";
        case MemoryKind::Plaintext:
            return "plaintext";
        case MemoryKind::Key:
            return "key";
        case MemoryKind::Scratch:
            return "scratch";
    }
    return "unknown";
}

namespace {
thread_local AccountScope* innermost = nullptr;
}  // namespace

AccountScope::AccountScope(std::shared_ptr<MemoryAccount> account) : account_(std::move(account)), outer_(innermost) {
    innermost = this;
}

AccountScope::~AccountScope() { innermost = outer_; }

const std::shared_ptr<MemoryAccount>& AccountScope::current() {
    static const std::shared_ptr<MemoryAccount> none;
    return innermost ? innermost->account_ : none;
}

void Buffer::zero() {
    if (data_) std::memset(data_, 0, bytes_);
}

void Buffer::setKind(MemoryKind kind) {
    if (data_ && kind != kind_) pool_->recount(*this, kind);
    kind_ = kind;
}

void Buffer::reset() {
    if (!data_) return;
    if (secret_) explicit_bzero(data_, bytes_);
    // before the pages may become another buffer's
    if (locked_) munlock(data_, roundUp(bytes_, PAGE));
    pool_->release(*this);
    data_ = nullptr;
    bytes_ = 0;
    secret_ = locked_ = false;
    account_.reset();
    pool_.reset();
}

void Buffer::swap(Buffer& other) noexcept {
    pool_.swap(other.pool_);
    account_.swap(other.account_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(kind_, other.kind_);
    std::swap(secret_, other.secret_);
    std::swap(locked_, other.locked_);
}

std::shared_ptr<MemoryPool> MemoryPool::create(const MemoryPoolOptions& options) {
    return std::shared_ptr<MemoryPool>(new MemoryPool(options));
}

// Never destroyed: buffers with static storage may outlive every other static object.
const std::shared_ptr<MemoryPool>& MemoryPool::shared() {
    static const auto* pool = new std::shared_ptr<MemoryPool>(create());
    return *pool;
}

MemoryPool::~MemoryPool() {
    for (const auto& [address, region] : regions_) {
        HEML_UNPOISON(address, region.bytes);
        munmap(reinterpret_cast<void*>(address), region.bytes);
    }
}

Buffer MemoryPool::allocate(size_t bytes, MemoryKind kind, bool secret) {
    Buffer buffer;
    buffer.kind_ = kind;
    if (bytes == 0) return buffer;
    const size_t size = roundUp(bytes, PAGE);
    buffer.pool_ = shared_from_this();
    buffer.account_ = AccountScope::current();

    std::unique_lock<std::mutex> guard(mutex_);
    auto& freeBySize = freeBySize_[secret];
    auto fit = freeBySize.lower_bound({size, 0});
    if (fit == freeBySize.end()) {
        addRegion(size, secret);
        fit = freeBySize.lower_bound({size, 0});
    }
    const auto [spanBytes, address] = *fit;
    eraseFree(freeByAddress_.find(address));
    if (spanBytes > size) insertFree(address + size, spanBytes - size);
    Region& region = regionOf(address)->second;
    if (region.used == 0) idleBytes_ -= region.bytes;
    region.used += size;
    count(kind, size, buffer.account_.get());
    ++counters_.buffers;
    HEML_UNPOISON(address, bytes);
    buffer.data_ = reinterpret_cast<uint64_t*>(address);
    buffer.bytes_ = bytes;
    buffer.secret_ = secret;
    if (!secret) return buffer;
    counters_.secretBytes += size;
    guard.unlock();
    lock(buffer);
    return buffer;
}

void MemoryPool::lock(Buffer& buffer) {
    const size_t size = roundUp(buffer.bytes_, PAGE);
    if (mlock(buffer.data_, size) != 0) return;                // RLIMIT_MEMLOCK, or no right to lock: see the header
    buffer.locked_ = true;
    std::lock_guard<std::mutex> guard(mutex_);
    counters_.lockedBytes += size;
}

void MemoryPool::release(const Buffer& buffer) {
    uintptr_t address = reinterpret_cast<uintptr_t>(buffer.data_);
    size_t size = roundUp(buffer.bytes_, PAGE);
    const MemoryKind kind = buffer.kind_;
    std::lock_guard<std::mutex> lock(mutex_);
    if (buffer.secret_) counters_.secretBytes -= size;
    if (buffer.locked_) counters_.lockedBytes -= size;
    const auto region = regionOf(address);
    region->second.used -= size;
    if (region->second.used == 0) idleBytes_ += region->second.bytes;
    uncount(kind, size, buffer.account_.get());
    --counters_.buffers;
    HEML_POISON(address, size);

    const uintptr_t regionStart = region->first;
    const uintptr_t regionEnd = regionStart + region->second.bytes;
    auto next = freeByAddress_.find(address + size);
    if (next != freeByAddress_.end() && address + size < regionEnd) {
        size += next->second;
        eraseFree(next);
    }
    auto previous = freeByAddress_.lower_bound(address);
    if (previous != freeByAddress_.begin()) {
        --previous;
        if (previous->first >= regionStart && previous->first + previous->second == address) {
            address = previous->first;
            size += previous->second;
            eraseFree(previous);
        }
    }
    insertFree(address, size);
    if (size == regionEnd - regionStart) trimTo(allowance());
}

void MemoryPool::recount(const Buffer& buffer, MemoryKind to) {
    const size_t size = roundUp(buffer.bytes_, PAGE);
    std::lock_guard<std::mutex> lock(mutex_);
    uncount(buffer.kind_, size, buffer.account_.get());
    count(to, size, buffer.account_.get());
}

void MemoryPool::count(MemoryKind kind, size_t bytes, MemoryAccount* account) {
    const size_t index = static_cast<size_t>(kind);
    counters_.current[index] += bytes;
    counters_.total += bytes;
    if (counters_.current[index] > counters_.peak[index]) counters_.peak[index] = counters_.current[index];
    if (counters_.total > counters_.totalPeak) counters_.totalPeak = counters_.total;
    if (!account) return;
    account->current[index] += bytes;
    account->total += bytes;
    if (account->total > account->totalPeak) account->totalPeak = account->total;
}

void MemoryPool::uncount(MemoryKind kind, size_t bytes, MemoryAccount* account) {
    const size_t index = static_cast<size_t>(kind);
    counters_.current[index] -= bytes;
    counters_.total -= bytes;
    if (!account) return;
    account->current[index] -= bytes;
    account->total -= bytes;
}

void MemoryPool::addRegion(size_t bytes, bool secret) {
    // a large buffer gets a region of its own size: what it left over of a usual one would rarely fit another
    size_t size = roundUp(bytes, HUGE_PAGE);
    const size_t usual = secret ? std::min(options_.regionBytes, SECRET_REGION) : options_.regionBytes;
    if (size <= usual / 2) size = roundUp(usual, HUGE_PAGE);
    const bool limited = options_.limitBytes != 0;
    trimTo(limited ? 0 : allowance(size));   // idle, but none is large enough for this request
    if (limited && counters_.mapped + size > options_.limitBytes) {
        throw MemoryError("the pool's limit is " + std::to_string(options_.limitBytes) + " bytes, " +
                          std::to_string(counters_.total) + " are in use and " + std::to_string(bytes) +
                          " more were asked for: dispose of ciphertexts or raise the limit");
    }
    const uintptr_t address = reinterpret_cast<uintptr_t>(mapAligned(size, options_.hugePages, secret));
    regions_[address] = Region{size, 0, secret};
    HEML_POISON(address, size);
    insertFree(address, size);
    idleBytes_ += size;
    counters_.mapped += size;
    if (counters_.mapped > counters_.mappedPeak) counters_.mappedPeak = counters_.mapped;
    ++counters_.systemCalls;
}

void MemoryPool::dropRegion(std::map<uintptr_t, Region>::iterator region) {
    eraseFree(freeByAddress_.find(region->first));
    HEML_UNPOISON(region->first, region->second.bytes);
    munmap(reinterpret_cast<void*>(region->first), region->second.bytes);
    counters_.mapped -= region->second.bytes;
    idleBytes_ -= region->second.bytes;
    regions_.erase(region);
}

void MemoryPool::trimTo(size_t idleBytes) {
    for (auto region = regions_.end(); region != regions_.begin() && idleBytes_ > idleBytes;) {
        --region;
        if (region->second.used != 0) continue;
        const auto dead = region++;
        dropRegion(dead);
    }
}

// What was in use at the peak may lie idle now: work that swings, as between the weights of a layer and those of the next, must
// not pay for first touch again and again. `coming`: bytes about to be mapped besides.
size_t MemoryPool::allowance(size_t coming) const {
    const size_t taken = counters_.total + coming;
    const size_t spare = counters_.totalPeak > taken ? counters_.totalPeak - taken : 0;
    return std::max(options_.allowanceBytes, spare);
}

void MemoryPool::insertFree(uintptr_t address, size_t bytes) {
    freeByAddress_.emplace(address, bytes);
    freeListOf(address).emplace(bytes, address);
}

void MemoryPool::eraseFree(std::map<uintptr_t, size_t>::iterator span) {
    freeListOf(span->first).erase({span->second, span->first});
    freeByAddress_.erase(span);
}

std::map<uintptr_t, MemoryPool::Region>::iterator MemoryPool::regionOf(uintptr_t address) {
    return std::prev(regions_.upper_bound(address));
}

size_t MemoryPool::bytesInUse() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return counters_.total;
}

size_t MemoryPool::bytesInUse(const MemoryAccount& account) const {
    std::lock_guard<std::mutex> lock(mutex_);
    return account.total;
}

MemoryAccount MemoryPool::counters(const MemoryAccount& account) const {
    std::lock_guard<std::mutex> lock(mutex_);
    return account;
}

MemoryCounters MemoryPool::counters() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return counters_;
}

void MemoryPool::resetPeaks() {
    std::lock_guard<std::mutex> lock(mutex_);
    counters_.peak = counters_.current;
    counters_.totalPeak = counters_.total;
    counters_.mappedPeak = counters_.mapped;
}

void MemoryPool::trim() {
    std::lock_guard<std::mutex> lock(mutex_);
    trimTo(0);
}

}  // namespace heml
