// Memory for ring elements, taken from the system in large regions and kept.
//
// First touch of fresh memory costs seconds per gigabyte and the C library fragments badly on large aligned blocks, so
// everything whose size is a multiple of a limb comes from here. A region is a run of 4 KB pages obtained with mmap and
// advised for huge pages; a request is rounded up to whole pages and served best-fit, lowest address first; neighbours
// merge when freed. A region that is wholly free is kept while all that is held is no more than was in use at the peak, or
// 256 MB lie idle; what is more goes back to the system, and so does the rest by trim(), as when an engine closes. Where a
// hypervisor lends the memory and takes free pages back within seconds, a first touch was measured at 2.1 s a GB, at 0.1 s
// where not. All limbs of one parameter set have the same size, so a steady workload reuses its pages.
// Bytes are counted by kind, now and at the peak; and once more for the account (one user of the pool) that was open when
// they were asked for, wherever and whenever they are given back.
// Secret buffers come from regions of their own, which core dumps leave out; each is locked into memory (not swapped) while
// it lives and wiped when it is freed. Locking is best effort: past RLIMIT_MEMLOCK a buffer is simply not locked, so that no
// limit, however small, makes an operation fail. `secretBytes` and `lockedBytes` of the counters tell how much it held.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

namespace heml {

enum class MemoryKind : unsigned { Ciphertext, Plaintext, Key, Scratch };
constexpr size_t MEMORY_KINDS = 4;

const char* memoryKindName(MemoryKind kind);

class MemoryPool;

// What one user of a pool holds; guarded by the pool's mutex (MemoryPool::counters(account)). For one pool only.
struct MemoryAccount {
    std::array<size_t, MEMORY_KINDS> current{};
    size_t total = 0;
    size_t totalPeak = 0;
};

// While it lives, what this thread allocates is booked on the account; null: on none. Nests.
class AccountScope {
public:
    explicit AccountScope(std::shared_ptr<MemoryAccount> account);
    ~AccountScope();
    AccountScope(const AccountScope&) = delete;
    AccountScope& operator=(const AccountScope&) = delete;
    // The innermost scope's on this thread.
    static const std::shared_ptr<MemoryAccount>& current();

private:
    std::shared_ptr<MemoryAccount> account_;
    AccountScope* outer_;
};

// Owns a 64-byte aligned run of bytes; movable, not copyable; returned to its pool on destruction.
// The contents of a new buffer are unspecified unless `zero()` is called.
class Buffer {
public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        Buffer(std::move(other)).swap(*this);
        return *this;
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { reset(); }

    uint64_t* data() { return data_; }
    const uint64_t* data() const { return data_; }
    size_t bytes() const { return bytes_; }                       // as requested
    size_t words() const { return bytes_ / sizeof(uint64_t); }
    MemoryKind kind() const { return kind_; }
    bool secret() const { return secret_; }
    bool locked() const { return locked_; }                       // never swapped out; secret buffers only
    explicit operator bool() const { return data_ != nullptr; }

    void zero();
    void setKind(MemoryKind kind);                                // moves the bytes to another counter
    void reset();                                                 // free now
    void swap(Buffer& other) noexcept;

private:
    friend class MemoryPool;
    std::shared_ptr<MemoryPool> pool_;
    std::shared_ptr<MemoryAccount> account_;
    uint64_t* data_ = nullptr;
    size_t bytes_ = 0;
    MemoryKind kind_ = MemoryKind::Scratch;
    bool secret_ = false;
    bool locked_ = false;
};

struct MemoryCounters {
    std::array<size_t, MEMORY_KINDS> current{};   // bytes in use by kind, whole pages
    std::array<size_t, MEMORY_KINDS> peak{};      // highest value of each
    size_t total = 0;                             // sum of current
    size_t totalPeak = 0;                         // highest sum; not the sum of the peaks
    size_t mapped = 0;                            // held from the system, free pages included
    size_t mappedPeak = 0;
    size_t buffers = 0;                           // live buffers
    size_t systemCalls = 0;                       // regions ever mapped
    size_t secretBytes = 0;                       // of live secret buffers, whole pages
    size_t lockedBytes = 0;                       // of these, what the system agreed to lock
};

struct MemoryPoolOptions {
    size_t regionBytes = size_t{32} << 20;        // usual region; a request of more than half of it gets its own
    size_t allowanceBytes = size_t{256} << 20;    // bytes of wholly free regions kept at least
    bool hugePages = true;
    size_t limitBytes = 0;                        // never map more than this; 0: no limit
};

class MemoryPool : public std::enable_shared_from_this<MemoryPool> {
public:
    static std::shared_ptr<MemoryPool> create(const MemoryPoolOptions& options = {});
    static const std::shared_ptr<MemoryPool>& shared();           // one for the process, created on first use
    ~MemoryPool();

    // Throws MemoryError when the limit is reached or the system has no more. 0 bytes gives an empty buffer.
    Buffer allocate(size_t bytes, MemoryKind kind, bool secret = false);

    size_t bytesInUse() const;                                    // counters().total
    size_t bytesInUse(const MemoryAccount& account) const;
    MemoryCounters counters() const;
    MemoryAccount counters(const MemoryAccount& account) const;
    void resetPeaks();
    void trim();                                                  // gives every wholly free region back

private:
    friend class Buffer;
    struct Region {
        size_t bytes = 0;
        size_t used = 0;
        bool secret = false;
    };

    explicit MemoryPool(const MemoryPoolOptions& options) : options_(options) {}
    void release(const Buffer& buffer);
    void recount(const Buffer& buffer, MemoryKind to);
    void lock(Buffer& buffer);
    void addRegion(size_t bytes, bool secret);
    void dropRegion(std::map<uintptr_t, Region>::iterator region);
    void trimTo(size_t idleBytes);
    size_t allowance(size_t coming = 0) const;
    void insertFree(uintptr_t address, size_t bytes);
    void eraseFree(std::map<uintptr_t, size_t>::iterator span);
    void count(MemoryKind kind, size_t bytes, MemoryAccount* account);
    void uncount(MemoryKind kind, size_t bytes, MemoryAccount* account);
    std::map<uintptr_t, Region>::iterator regionOf(uintptr_t address);
    std::set<std::pair<size_t, uintptr_t>>& freeListOf(uintptr_t address) {
        return freeBySize_[regionOf(address)->second.secret];
    }

    const MemoryPoolOptions options_;
    mutable std::mutex mutex_;
    std::map<uintptr_t, Region> regions_;
    std::map<uintptr_t, size_t> freeByAddress_;
    std::array<std::set<std::pair<size_t, uintptr_t>>, 2> freeBySize_;   // by secrecy of the region
    size_t idleBytes_ = 0;                                        // of wholly free regions: what trimming can give back
    MemoryCounters counters_;
};

}  // namespace heml
