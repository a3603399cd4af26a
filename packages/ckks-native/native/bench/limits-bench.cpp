// What the machine itself allows, one JSON object per line: bytes read from memory, and 52-bit multiply-adds, per second.
// The times of the engine are judged by these, so they are measured in the same run. The best of several rounds counts.
// Usage: limits-bench [threads=N]; a processor without AVX-512 IFMA gets no multiply-add line.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

std::atomic<uint64_t> sink{0};   // results go here, so that no loop can be left out

// Seconds in which `threads` threads each do `work` once, all starting together.
double secondsOf(unsigned threads, const std::function<void(unsigned)>& work) {
    std::atomic<unsigned> ready{0};
    std::atomic<bool> start{false};
    std::vector<std::thread> others;
    auto body = [&](unsigned t) {
        ++ready;
        while (!start) {}
        work(t);
    };
    for (unsigned t = 1; t < threads; ++t) others.emplace_back(body, t);
    while (ready + 1 < threads) std::this_thread::yield();
    const auto begin = std::chrono::steady_clock::now();
    start = true;
    work(0);
    for (std::thread& other : others) other.join();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double bestOf(int rounds, const std::function<double()>& measure) {
    double best = measure();
    for (int i = 1; i < rounds; ++i) best = std::min(best, measure());
    return best;
}

uint64_t sumPortable(const uint64_t* words, size_t count) {
    uint64_t sums[8] = {};
    for (size_t i = 0; i < count; i += 8) {
        for (size_t k = 0; k < 8; ++k) sums[k] += words[i + k];
    }
    uint64_t total = 0;
    for (uint64_t sum : sums) total += sum;
    return total;
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) uint64_t sumAvx512(const uint64_t* words, size_t count) {
    __m512i sums[8];
    for (__m512i& sum : sums) sum = _mm512_setzero_si512();
    for (size_t i = 0; i < count; i += 64) {
        for (size_t k = 0; k < 8; ++k) sums[k] = _mm512_add_epi64(sums[k], _mm512_loadu_si512(words + i + 8 * k));
    }
    for (size_t k = 1; k < 8; ++k) sums[0] = _mm512_add_epi64(sums[0], sums[k]);
    alignas(64) uint64_t lanes[8];
    _mm512_store_si512(lanes, sums[0]);
    return sumPortable(lanes, 8);
}

// Sixteen independent chains hide the latency of the instruction.
__attribute__((target("avx512f,avx512ifma"))) uint64_t multiplyAdds(size_t rounds, uint64_t seed) {
    __m512i chains[16];
#pragma GCC unroll 16
    for (size_t k = 0; k < 16; ++k) chains[k] = _mm512_set1_epi64(static_cast<long long>(seed + k));
    const __m512i a = _mm512_set1_epi64(static_cast<long long>(seed | 0xABCDEF0123457));
    const __m512i b = _mm512_set1_epi64(static_cast<long long>(seed | 0x123456789ABCD));
    for (size_t i = 0; i < rounds; ++i) {
        // in registers: without unrolling the chains go through memory at every step
#pragma GCC unroll 16
        for (size_t k = 0; k < 16; ++k) {
            chains[k] = _mm512_madd52lo_epu64(chains[k], a, b);
            asm volatile("" : "+v"(chains[k]));
        }
    }
#pragma GCC unroll 16
    for (size_t k = 1; k < 16; ++k) chains[0] = _mm512_add_epi64(chains[0], chains[k]);
    alignas(64) uint64_t lanes[8];
    _mm512_store_si512(lanes, chains[0]);
    return sumPortable(lanes, 8);
}
#endif

void report(const char* name, const char* metric, double value, const char* unit, unsigned threads) {
    std::printf("{\"name\":\"%s\",\"metric\":\"%s\",\"value\":%.3f,\"unit\":\"%s\",\"params\":{\"threads\":%u}}\n", name, metric,
                value, unit, threads);
    std::fflush(stdout);
}

void memoryRead(unsigned threads) {
    const size_t words = size_t{1} << 25;   // 256 MB in all: far above any cache
    std::vector<uint64_t> memory(words, 3);
    auto sum = sumPortable;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) sum = sumAvx512;
#endif
    const size_t share = words / threads / 64 * 64;
    const double seconds =
        bestOf(9, [&] { return secondsOf(threads, [&](unsigned t) { sink += sum(memory.data() + t * share, share); }); });
    report("memory-read", "bandwidth", static_cast<double>(share * threads * 8) / seconds / 1e9, "GB/s", threads);
}

void multiplyAdd(unsigned threads) {
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx512ifma")) return;
    const size_t rounds = 4'000'000;
    const double seconds =
        bestOf(7, [&] { return secondsOf(threads, [&](unsigned t) { sink += multiplyAdds(rounds, t + 1); }); });
    report("multiply-add", "throughput", 8.0 * 16 * static_cast<double>(rounds * threads) / seconds / 1e9, "Gop/s", threads);
#else
    (void)threads;
#endif
}

}  // namespace

int main(int argc, char** argv) {
    unsigned threads = 1;
    for (int i = 1; i < argc; ++i) {
        if (std::strncmp(argv[i], "threads=", 8) == 0) threads = std::max(1, std::atoi(argv[i] + 8));
    }
    memoryRead(threads);
    multiplyAdd(threads);
    return 0;
}
