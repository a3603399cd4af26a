// Matrix products of every kernel against double precision; the same bits from any number of threads.
#include "float-helpers.h"

using namespace heml::test;
using heml::Executor;
using heml::Scheduler;
using heml::SchedulerOptions;
using heml::SerialExecutor;

namespace {

struct Shape {
    size_t m, n, k;
    bool transposeA, transposeB;
    float alpha, beta;
    std::string name(const Kernels& kernels) const {
        return std::string(kernels.name) + " " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k) +
               (transposeA ? " A'" : "") + (transposeB ? " B'" : "");
    }
};

struct Operands {
    std::vector<float> a, b, c;
    Operands(const Shape& x, Random& random)
        : a(randomFloats(x.m * x.k, random)), b(randomFloats(x.k * x.n, random)), c(randomFloats(x.m * x.n, random)) {}
};

std::vector<float> runGemm(const Shape& x, const Operands& operands, const Kernels& kernels, Executor& executor) {
    Output c(x.m * x.n);
    if (x.beta != 0) std::copy(operands.c.begin(), operands.c.end(), c.data());   // else NaN must not come through
    gemm({x.m, x.n, x.k, operands.a.data(), operands.b.data(), c.data(), x.transposeA, x.transposeB, x.alpha, x.beta},
         {kernels, *testPool(), executor});
    CHECK(c.intact());
    return c.values();
}

void checkGemm(const Shape& x, const Operands& operands, const std::vector<float>& got, const std::string& name) {
    size_t wrong = 0;
    for (size_t i = 0; i < x.m; ++i) {
        for (size_t j = 0; j < x.n; ++j) {
            Exact want;
            if (x.beta != 0) want.add(static_cast<double>(x.beta) * operands.c[i * x.n + j]);
            for (size_t k = 0; k < x.k; ++k) {
                const double a = x.transposeA ? operands.a[k * x.m + i] : operands.a[i * x.k + k];
                const double b = x.transposeB ? operands.b[j * x.k + k] : operands.b[k * x.n + j];
                want.add(static_cast<double>(x.alpha) * a * b);
            }
            if (!within(got[i * x.n + j], want, std::min<size_t>(2 * x.k, 2 * BLOCK) + x.k / BLOCK)) ++wrong;
        }
    }
    CHECK_EQUAL(wrong == 0 ? name : name + ": wrong " + std::to_string(wrong), name);
}

std::vector<Shape> casesOf() {
    std::vector<Shape> all = {
        {1, 1, 1, false, false, 1, 0},     {256, 120, 400, false, true, 1, 0}, {84, 120, 256, true, false, 1, 0},
        {256, 84, 10, false, false, 1, 0}, {13, 33, 257, false, false, 2, 1},  {12, 32, 256, true, true, 1, 0.5f},
        {97, 65, 513, false, true, -1, 1}, {3, 4099, 5, false, false, 1, 0},   {4101, 3, 7, true, false, 1, 1},
        {5, 6, 0, false, false, 1, 2},     {10, 84, 256, true, false, 1, 0}};
    Random random(31);
    for (int i = 0; i < 60; ++i) {
        const float alphas[] = {1, 1, -0.5f}, betas[] = {0, 1, 0.25f};
        all.push_back({1 + random.below(70), 1 + random.below(100), 1 + random.below(600), random.below(2) == 1,
                       random.below(2) == 1, alphas[random.below(3)], betas[random.below(3)]});
    }
    return all;
}

}  // namespace

TEST(gemmAgreesWithDoublePrecision) {
    Random random(32);
    SerialExecutor serial;
    for (const Shape& x : casesOf()) {
        const Operands operands(x, random);
        std::vector<float> fused;
        for (const Kernels* kernels : supportedKernels()) {
            const auto got = runGemm(x, operands, *kernels, serial);
            checkGemm(x, operands, got, x.name(*kernels));
            if (std::string(kernels->name) == "scalar") continue;
            if (!fused.empty()) CHECK(sameBits(got, fused));   // avx512 rounds exactly as avx2
            fused = got;
        }
    }
}

TEST(gemmIsTheSameOnAnyNumberOfThreads) {
    Random random(33);
    SerialExecutor serial;
    for (const unsigned threads : {2u, 3u, 5u}) {
        SchedulerOptions options;
        options.threads = threads;
        Scheduler scheduler(options);
        for (const Shape& x : casesOf()) {
            const Operands operands(x, random);
            for (const Kernels* kernels : supportedKernels())
                CHECK(sameBits(runGemm(x, operands, *kernels, scheduler), runGemm(x, operands, *kernels, serial)));
        }
    }
}

// An element is a function of its row of A and its column of B only: batches may be cut anywhere.
TEST(gemmRowsDoNotDependOnTheirNeighbours) {
    Random random(34);
    SerialExecutor serial;
    const Shape whole{67, 75, 300, false, true, 1, 0}, single{1, 75, 300, false, true, 1, 0};
    Operands operands(whole, random);
    for (const Kernels* kernels : supportedKernels()) {
        const auto all = runGemm(whole, operands, *kernels, serial);
        for (size_t row : {0u, 31u, 66u}) {
            Operands one = operands;
            one.a.assign(operands.a.begin() + row * 300, operands.a.begin() + (row + 1) * 300);
            const auto got = runGemm(single, one, *kernels, serial);
            CHECK(sameBits(got, {all.begin() + row * 75, all.begin() + (row + 1) * 75}));
        }
    }
}

TEST(kernelsAreFoundByName) {
    CHECK(findKernels("scalar") == &scalarKernels());
    CHECK(findKernels("none-such") == nullptr);
    CHECK_EQUAL(std::string((*supportedKernels().begin())->name), std::string("scalar"));
}

TEST_MAIN()
