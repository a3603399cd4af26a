// Gigaflops of matrix products and convolutions, nanoseconds and gigabytes per second of everything else, one JSON object per
// line, with the machine's own multiply-add rate, copy rate and load measured in the same run; the best of several rounds
// counts.
// Usage: float-bench [kernel=NAME] [threads=N] [seconds=S] [only=TEXT of the name]
// Flops are those of the definition (2 per multiply-add), so padding and columns that are thrown away count against us.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "float/conv.h"
#include "training-cases.h"

using namespace heml;
using namespace heml::f32;

namespace {

volatile float sink;

#if defined(__x86_64__)
constexpr int CHAINS = 12, STEPS = 100000;   // more chains than latency times units, on every processor so far

__attribute__((target("avx512f"))) void chains512() {
    __m512 sums[CHAINS];
    for (auto& s : sums) s = _mm512_set1_ps(0.5f);
    const __m512 x = _mm512_set1_ps(0.999f);
    for (int i = 0; i < STEPS; ++i) {
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; ++c) sums[c] = _mm512_fmadd_ps(sums[c], x, x);
    }
    float out = 0;
    for (const auto& s : sums) out += _mm512_cvtss_f32(s);
    sink = out;
}

__attribute__((target("avx2,fma"))) void chains256() {
    __m256 sums[CHAINS];
    for (auto& s : sums) s = _mm256_set1_ps(0.5f);
    const __m256 x = _mm256_set1_ps(0.999f);
    for (int i = 0; i < STEPS; ++i) {
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; ++c) sums[c] = _mm256_fmadd_ps(sums[c], x, x);
    }
    float out = 0;
    for (const auto& s : sums) out += _mm256_cvtss_f32(s);
    sink = out;
}
#endif

// Gigaflops of register-only multiply-adds on one core; 0 where there is no such instruction.
double peakOf(const std::string& kernel, double budget) {
#if defined(__x86_64__)
    if (kernel == "avx512") return 2.0 * 16 * CHAINS * STEPS / bench::fastest(budget, chains512) * 1e-9;
    if (kernel == "avx2") return 2.0 * 8 * CHAINS * STEPS / bench::fastest(budget, chains256) * 1e-9;
#endif
    static_cast<void>(kernel), static_cast<void>(budget);
    return 0;
}

struct ProductCases {
    const bench::Bench& bench;
    double peak;

    void report(const std::string& name, double flops, const std::function<void(const Runtime&)>& work) const {
        if (!bench.wants(name)) return;
        const double best = bench.seconds(work), rate = flops / best * 1e-9;
        std::printf("{\"name\":\"%s\",\"kernel\":\"%s\",\"threads\":%u,\"ms\":%.4f,\"gflops\":%.1f", name.c_str(),
                    bench.kernels.name, bench.scheduler.width(), best * 1e3, rate);
        if (peak > 0) std::printf(",\"ofPeakOfOneCore\":%.2f", rate / peak);
        std::printf("}\n");
        std::fflush(stdout);
    }

    void gemmOf(const char* what, size_t m, size_t n, size_t k, bool transposeA, bool transposeB) const {
        const std::vector<float> a(m * k, 0.5f), b(k * n, 0.25f);
        std::vector<float> c(m * n);
        const std::string name = std::string(what) + " " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
        report(name, 2.0 * static_cast<double>(m * n * k), [&](const Runtime& runtime) {
            gemm({m, n, k, a.data(), b.data(), c.data(), transposeA, transposeB, 1, 0}, runtime);
        });
    }

    // The three products of a fully connected layer.
    void linear(const char* what, size_t batch, size_t in, size_t out) const {
        const std::string name = what;
        gemmOf((name + " forward").c_str(), batch, out, in, false, true);
        gemmOf((name + " backwardInput").c_str(), batch, in, out, false, false);
        gemmOf((name + " backwardWeight").c_str(), out, in, batch, true, false);
    }

    void conv(const std::string& name, const ConvShape& s) const {
        const double flops = 2.0 * static_cast<double>(s.outputSize() * s.groupIn() * s.taps());
        const std::vector<float> input(s.inputSize(), 0.5f), weight(s.weightSize(), 0.25f), bias(s.outChannels, 1.0f);
        std::vector<float> output(s.outputSize(), 0.5f), inputGradient(s.inputSize()), weightGradient(s.weightSize()),
            biasGradient(s.outChannels);
        report(name + " forward", flops,
               [&](const Runtime& runtime) { convForward(s, input.data(), weight.data(), bias.data(), output.data(), runtime); });
        report(name + " backwardInput", flops, [&](const Runtime& runtime) {
            convBackwardInput(s, output.data(), weight.data(), inputGradient.data(), runtime);
        });
        report(name + " backwardWeight", flops, [&](const Runtime& runtime) {
            convBackwardWeight(s, input.data(), output.data(), weightGradient.data(), biasGradient.data(), runtime);
        });
    }
};

void printLoad() {
    double load[1] = {-1};
    if (getloadavg(load, 1) != 1) load[0] = -1;
    std::printf("{\"name\":\"load of the last minute\",\"value\":%.2f}\n", load[0]);
}

const char* option(int argc, char** argv, const char* name, const char* otherwise) {
    const size_t length = std::strlen(name);
    for (int i = 1; i < argc; ++i) {
        if (std::strncmp(argv[i], name, length) == 0 && argv[i][length] == '=') return argv[i] + length + 1;
    }
    return otherwise;
}

}  // namespace

int main(int argc, char** argv) {
    const Kernels* best = *(supportedKernels().end() - 1);
    const char* wanted = option(argc, argv, "kernel", best->name);
    const Kernels* kernels = findKernels(wanted);
    if (kernels == nullptr) {
        std::fprintf(stderr, "kernel: \"%s\" does not run here\n", wanted);
        return 1;
    }
    const double budget = std::atof(option(argc, argv, "seconds", "0.3"));
    SchedulerOptions options;
    options.threads = static_cast<unsigned>(std::atoi(option(argc, argv, "threads", "1")));
    Scheduler scheduler(options);
    const auto pool = MemoryPool::create();
    printLoad();
    const double peak = peakOf(kernels->name, budget);
    if (peak > 0)
        std::printf("{\"name\":\"multiply-add peak of one core\",\"kernel\":\"%s\",\"gflops\":%.1f}\n", kernels->name, peak);
    const bench::Bench shared{*kernels, scheduler, *pool, budget, option(argc, argv, "only", "")};
    const ProductCases bench{shared, peak};
    for (const size_t n : {128u, 256u, 512u, 1024u}) bench.gemmOf("gemm", n, n, n, false, false);
    bench.gemmOf("gemm A'B", 512, 512, 512, true, false);
    bench.gemmOf("gemm AB'", 512, 512, 512, false, true);
    bench.conv("lenet conv1", {256, 1, 28, 28, 6, {5, 5}, {1, 1}, {2, 2}, 1});
    bench.conv("lenet conv2", {256, 6, 14, 14, 16, {5, 5}, {1, 1}, {0, 0}, 1});
    bench.linear("lenet linear1", 256, 400, 120);
    bench.linear("lenet linear2", 256, 120, 84);
    bench.linear("lenet linear3", 256, 84, 10);
    bench.conv("resnet 16 channels", {64, 16, 32, 32, 16, {3, 3}, {1, 1}, {1, 1}, 1});
    bench.conv("resnet 64 channels", {64, 64, 8, 8, 64, {3, 3}, {1, 1}, {1, 1}, 1});
    bench.conv("resnet 32 to 64, stride 2", {64, 32, 16, 16, 64, {3, 3}, {2, 2}, {1, 1}, 1});
    bench::TrainingCases(shared).all();
    printLoad();
    return 0;
}
