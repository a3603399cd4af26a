// The pool: alignment, accounting, reuse, trimming, wiping, and threads.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <string>

#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/capability.h>
#include <sys/syscall.h>
#endif

#include "runtime/memory-pool.h"
#include "testing/test.h"

using namespace heml;
using heml::test::Random;

namespace {

constexpr size_t MIB = size_t{1} << 20;

size_t residentBytes() {
    size_t total = 0, resident = 0;
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr || std::fscanf(file, "%zu %zu", &total, &resident) != 2) resident = 0;
    if (file != nullptr) std::fclose(file);
    return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

#ifdef __linux__
// The VmFlags of the mapping that holds an address: "rd wr mr mw me ac lo dd ".
std::string flagsOf(const void* data) {
    const auto address = reinterpret_cast<uintptr_t>(data);
    std::FILE* file = std::fopen("/proc/self/smaps", "r");
    char line[512];
    bool inside = false;
    std::string flags;
    while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr) {
        unsigned long long from = 0, to = 0;
        if (std::sscanf(line, "%llx-%llx ", &from, &to) == 2) inside = from <= address && address < to;
        if (inside && std::strncmp(line, "VmFlags:", 8) == 0) flags = line + 8;
    }
    if (file != nullptr) std::fclose(file);
    return flags;
}

// Runs as a thread that may lock no more than the limit says; the other threads keep their rights.
template <class Run>
void withLockLimit(rlim_t bytes, Run run) {
    rlimit before{};
    CHECK_EQUAL(getrlimit(RLIMIT_MEMLOCK, &before), 0);
    const rlimit limit{std::min(bytes, before.rlim_max), before.rlim_max};
    CHECK_EQUAL(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    std::thread([&] {
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        __user_cap_data_struct rights[2] = {};
        syscall(SYS_capget, &header, rights);
        rights[0].effective &= ~(1u << CAP_IPC_LOCK);
        syscall(SYS_capset, &header, rights);
        run();
    }).join();
    CHECK_EQUAL(setrlimit(RLIMIT_MEMLOCK, &before), 0);
}
#endif

}  // namespace

TEST(buffersAreAlignedDisjointAndCounted) {
    const auto pool = MemoryPool::create({8 * MIB, 16 * MIB, true});
    Buffer a = pool->allocate(100, MemoryKind::Key);
    Buffer b = pool->allocate(3 * MIB, MemoryKind::Scratch);
    CHECK_EQUAL(reinterpret_cast<uintptr_t>(a.data()) % 64, 0u);
    CHECK_EQUAL(reinterpret_cast<uintptr_t>(b.data()) % 64, 0u);
    CHECK_EQUAL(a.bytes(), 100u);
    CHECK(a.data() != b.data());
    MemoryCounters counters = pool->counters();
    CHECK_EQUAL(counters.current[2], 4096u);
    CHECK_EQUAL(counters.current[3], 3 * MIB);
    CHECK_EQUAL(counters.total, 3 * MIB + 4096);
    CHECK_EQUAL(counters.buffers, 2u);
    b.setKind(MemoryKind::Ciphertext);
    b = Buffer();
    counters = pool->counters();
    CHECK_EQUAL(counters.total, 4096u);
    CHECK_EQUAL(counters.peak[0], 3 * MIB);
    CHECK_EQUAL(counters.totalPeak, 3 * MIB + 4096);
    pool->resetPeaks();
    CHECK_EQUAL(pool->counters().totalPeak, 4096u);
    CHECK(!pool->allocate(0, MemoryKind::Key));
}

TEST(buffersMayOutliveThePoolHandle) {
    auto pool = MemoryPool::create();
    Buffer buffer = pool->allocate(MIB, MemoryKind::Key);
    pool.reset();
    buffer.data()[0] = 1;
    CHECK_EQUAL(buffer.data()[0], 1u);
}

TEST(freedPagesAreReusedAndNeighboursMerge) {
    const auto pool = MemoryPool::create({8 * MIB, 64 * MIB, true});
    std::vector<Buffer> small;
    for (int i = 0; i < 8; ++i) small.push_back(pool->allocate(MIB, MemoryKind::Scratch));
    CHECK_EQUAL(pool->counters().mapped, 8 * MIB);
    for (size_t i : {3u, 1u, 2u, 7u, 5u, 6u, 0u, 4u}) small[i].reset();
    const Buffer whole = pool->allocate(8 * MIB, MemoryKind::Scratch);
    CHECK_EQUAL(pool->counters().mapped, 8 * MIB);
}

TEST(idleRegionsAreKeptUpToThePeak) {
    const auto pool = MemoryPool::create({8 * MIB, 16 * MIB, true});
    std::vector<Buffer> buffers;
    for (int i = 0; i < 10; ++i) buffers.push_back(pool->allocate(8 * MIB, MemoryKind::Scratch));
    CHECK_EQUAL(pool->counters().mapped, 80 * MIB);
    buffers.clear();
    CHECK_EQUAL(pool->counters().mapped, 80 * MIB);
    const std::size_t calls = pool->counters().systemCalls;
    for (int i = 0; i < 10; ++i) buffers.push_back(pool->allocate(8 * MIB, MemoryKind::Scratch));
    CHECK_EQUAL(pool->counters().systemCalls, calls);
    buffers.clear();
    // one that fits no idle region takes the place of as many as it is large
    buffers.push_back(pool->allocate(40 * MIB, MemoryKind::Scratch));
    CHECK_EQUAL(pool->counters().mapped, 80 * MIB);
    buffers.clear();
    pool->trim();
    CHECK_EQUAL(pool->counters().mapped, 0u);
    CHECK_EQUAL(pool->counters().mappedPeak, 80 * MIB);
}

TEST(idleRegionsAboveTheAllowanceAreGivenBack) {
    const auto pool = MemoryPool::create({8 * MIB, 16 * MIB, true});
    std::vector<Buffer> buffers;
    for (int i = 0; i < 10; ++i) buffers.push_back(pool->allocate(8 * MIB, MemoryKind::Scratch));
    // a new peak: what was in use before counts no longer
    for (int i = 0; i < 8; ++i) buffers.pop_back();
    pool->resetPeaks();
    buffers.clear();
    CHECK_EQUAL(pool->counters().mapped, 16 * MIB);
    pool->trim();
    CHECK_EQUAL(pool->counters().mapped, 0u);
    CHECK_EQUAL(pool->counters().mappedPeak, 80 * MIB);
}

// What lies idle beside live buffers cannot be given back, so it must not use up the allowance: scratch would be mapped
// and cleared again for every operation.
TEST(leftoversOfLiveRegionsDoNotUseUpTheAllowance) {
    auto pool = MemoryPool::create({4 * MIB, 8 * MIB, true, 0});
    std::vector<Buffer> live;
    for (int i = 0; i < 30; ++i) live.push_back(pool->allocate(3 * MIB, MemoryKind::Plaintext));
    CHECK(pool->counters().mapped - pool->counters().total >= 30 * MIB);
    pool->allocate(7 * MIB, MemoryKind::Scratch);
    const std::size_t calls = pool->counters().systemCalls;
    for (int i = 0; i < 20; ++i) pool->allocate(7 * MIB, MemoryKind::Scratch);
    CHECK_EQUAL(pool->counters().systemCalls, calls);
}

TEST(largeBuffersGetRegionsOfTheirOwnSize) {
    auto pool = MemoryPool::create({32 * MIB, 0, true, 0});
    std::vector<Buffer> live;
    for (int i = 0; i < 10; ++i) live.push_back(pool->allocate(19 * MIB, MemoryKind::Plaintext));
    CHECK_EQUAL(pool->counters().mapped, 200 * MIB);
    live.push_back(pool->allocate(16 * MIB, MemoryKind::Plaintext));
    CHECK_EQUAL(pool->counters().mapped, 232 * MIB);
}

TEST(theLimitHoldsAndNamesTheNumbers) {
    const auto pool = MemoryPool::create({8 * MIB, 64 * MIB, true, 16 * MIB});
    Buffer a = pool->allocate(8 * MIB, MemoryKind::Key), b = pool->allocate(8 * MIB, MemoryKind::Key);
    CHECK_THROWS(pool->allocate(4096, MemoryKind::Key));
    CHECK_EQUAL(pool->counters().buffers, 2u);
    a.reset();
    CHECK(static_cast<bool>(pool->allocate(8 * MIB, MemoryKind::Key)));
    b.reset();
    CHECK(static_cast<bool>(pool->allocate(16 * MIB, MemoryKind::Key)));   // idle regions make room
    CHECK_THROWS(pool->allocate(~size_t{0}, MemoryKind::Key));
}

#ifndef __SANITIZE_ADDRESS__
TEST(secretBuffersAreWiped) {
    const auto pool = MemoryPool::create();
    const Buffer keepsRegion = pool->allocate(4096, MemoryKind::Key);
    Buffer secret = pool->allocate(4096, MemoryKind::Key, true);
    Buffer open = pool->allocate(4096, MemoryKind::Key);
    uint64_t* at = secret.data();
    uint64_t* openAt = open.data();
    for (size_t i = 0; i < 512; ++i) at[i] = openAt[i] = ~uint64_t{0};
    secret.reset();
    open.reset();
    uint64_t seen = 0;
    for (size_t i = 0; i < 512; ++i) seen |= at[i];   // the page is still the pool's
    CHECK_EQUAL(seen, 0u);
    CHECK_EQUAL(openAt[0], ~uint64_t{0});
}
#endif

// Secrets never share a region with anything else: what idles beside them is never handed out unlocked, and the reverse.
TEST(secretBuffersHaveRegionsOfTheirOwn) {
    const auto pool = MemoryPool::create();
    Buffer open = pool->allocate(4096, MemoryKind::Plaintext);
    Buffer secret = pool->allocate(4096, MemoryKind::Key, true);
    CHECK_EQUAL(pool->counters().systemCalls, 2u);
    CHECK_EQUAL(pool->counters().mapped, 40 * MIB);
    CHECK_EQUAL(pool->counters().secretBytes, 4096u);
    CHECK(!open.locked());
    const uint64_t* at = secret.data();
    secret.reset();
    CHECK_EQUAL(pool->counters().secretBytes, 0u);
    CHECK_EQUAL(pool->counters().lockedBytes, 0u);
    Buffer second = pool->allocate(4096, MemoryKind::Plaintext);
    CHECK(second.data() != at);
    Buffer again = pool->allocate(4096, MemoryKind::Key, true);
    CHECK(again.data() == at);
    Buffer moved = std::move(again);
    CHECK(moved.secret() && !again.secret() && !again.locked());
  // larger than the usual region
    Buffer large = pool->allocate(20 * MIB, MemoryKind::Key, true);
    CHECK_EQUAL(pool->counters().secretBytes, 20 * MIB + 4096);
    large.reset();
    pool->trim();
    CHECK_EQUAL(pool->counters().mapped, 40 * MIB);
}

#ifdef __linux__
TEST(coreDumpsLeaveSecretsOut) {
    const auto pool = MemoryPool::create();
    Buffer secret = pool->allocate(4096, MemoryKind::Key, true), open = pool->allocate(4096, MemoryKind::Key);
    CHECK(flagsOf(secret.data()).find(" dd") != std::string::npos);
    CHECK(flagsOf(open.data()).find(" dd") == std::string::npos);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// the sanitizers replace mlock by nothing
TEST(secretsAreLockedWhileTheyLive) {
    const auto pool = MemoryPool::create();
    Buffer secret = pool->allocate(16384, MemoryKind::Key, true);
    const bool locked = flagsOf(secret.data()).find(" lo") != std::string::npos;
    CHECK_EQUAL(secret.locked(), locked);
    CHECK_EQUAL(pool->counters().lockedBytes, locked ? 16384u : 0u);
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur < 65536)
        std::puts("secretsAreLockedWhileTheyLive: RLIMIT_MEMLOCK is below 64 KB, nothing to see");
    else
        CHECK(locked);
    const void* at = secret.data();
    secret.reset();
    CHECK(flagsOf(at).find(" lo") == std::string::npos);
}

TEST(aSmallLockLimitCostsNothingButTheLock) {
    for (rlim_t limit : {rlim_t{0}, rlim_t{65536}}) {
        withLockLimit(limit, [&] {
            const auto pool = MemoryPool::create();
            std::vector<Buffer> secrets;
            for (int i = 0; i < 100; ++i) secrets.push_back(pool->allocate(65536, MemoryKind::Key, true));
            CHECK_EQUAL(pool->counters().secretBytes, 100u * 65536);
            CHECK(pool->counters().lockedBytes <= limit);
            for (Buffer& secret : secrets) secret.data()[8191] = 1;
            CHECK(flagsOf(secrets.back().data()).find(" dd") != std::string::npos);
            CHECK(!secrets.back().locked());
            secrets.clear();
            CHECK_EQUAL(pool->counters().lockedBytes, 0u);
        });
    }
}
#endif
#endif

TEST(threadsLockAndUnlockSideBySide) {
    const auto pool = MemoryPool::create();
    std::vector<std::thread> threads;
    std::vector<int> wrong(8);
    for (size_t t = 0; t < wrong.size(); ++t) {
        threads.emplace_back([&, t] {
            for (size_t i = 0; i < 200; ++i) {
                Buffer secret = pool->allocate(4096 * (1 + (i + t) % 5), MemoryKind::Scratch, true);
                std::memset(secret.data(), static_cast<int>(t + 1), secret.bytes());
                const auto* bytes = reinterpret_cast<const unsigned char*>(secret.data());
                for (size_t b = 0; b < secret.bytes(); b += 512) wrong[t] += bytes[b] != t + 1;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    for (int count : wrong) CHECK_EQUAL(count, 0);
    CHECK_EQUAL(pool->counters().secretBytes, 0u);
    CHECK_EQUAL(pool->counters().lockedBytes, 0u);
}

// A product at N = 2^16 and 24 limbs takes three polynomials of 12 MB and gives them back.
TEST(aThousandProductsDoNotGrowResidentMemory) {
    const auto pool = MemoryPool::create();
    const auto product = [&] {
        for (int poly = 0; poly < 3; ++poly) {
            Buffer buffer = pool->allocate(12 * MIB, MemoryKind::Ciphertext);
            for (size_t i = 0; i < buffer.words(); i += 512) buffer.data()[i] = i;
            const Buffer scratch = pool->allocate(MIB / 2, MemoryKind::Scratch);
        }
    };
    for (int i = 0; i < 10; ++i) product();
    const size_t before = residentBytes();
    const size_t calls = pool->counters().systemCalls;
    for (int i = 0; i < 1000; ++i) product();
    CHECK_EQUAL(pool->counters().systemCalls, calls);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(residentBytes() <= before + 2 * MIB);
#else
    (void)before;
#endif
}

TEST(threadsShareThePool) {
    const auto pool = MemoryPool::create({8 * MIB, 16 * MIB, true});
    std::vector<std::thread> threads;
    std::vector<int> wrong(4);
    for (unsigned id = 0; id < 4; ++id) {
        threads.emplace_back([&, id] {
            Random random(id);
            std::vector<Buffer> held;
            for (uint64_t i = 0; i < 5000; ++i) {
                if (held.size() < 20 && random.below(2) == 0) {
                    const size_t bytes = 8 + random.below(random.below(50) == 0 ? 20 * MIB : MIB);
                    held.push_back(pool->allocate(bytes, static_cast<MemoryKind>(random.below(4)), random.below(8) == 0));
                    held.back().data()[0] = id;
                    held.back().data()[held.back().words() - 1] = id;
                } else if (!held.empty()) {
                    const size_t at = random.below(held.size());
                    wrong[id] += held[at].data()[0] != id || held[at].data()[held[at].words() - 1] != id;
                    held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (int count : wrong) CHECK_EQUAL(count, 0);
    CHECK_EQUAL(pool->counters().total, 0u);
    CHECK_EQUAL(pool->counters().buffers, 0u);
    const MemoryCounters counters = pool->counters();
    CHECK(counters.mapped <= std::max(16 * MIB, counters.totalPeak));
}

TEST_MAIN()
