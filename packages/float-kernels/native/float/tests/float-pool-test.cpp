// Pooling of every kernel against naive loops, to the bit; winners that are no indices are refused.
#include "float-training-helpers.h"

using namespace heml::test;
using heml::Executor;
using heml::Scheduler;
using heml::SchedulerOptions;
using heml::SerialExecutor;

namespace {

struct Results {
    std::vector<float> means, spread, largest, rewarded;
    std::vector<uint32_t> winners;
    bool same(const Results& o) const {
        return sameNumbers(means, o.means) && sameNumbers(spread, o.spread) && sameNumbers(largest, o.largest) &&
               sameNumbers(rewarded, o.rewarded) && winners == o.winners;
    }
};

Results naive(const PoolShape& s, const std::vector<float>& input, const std::vector<float>& gradient) {
    Results out;
    out.spread.assign(s.inputSize(), 0);
    out.rewarded.assign(s.inputSize(), 0);
    const double area = static_cast<double>(s.kernel * s.kernel);
    for (size_t i = 0; i < s.outputSize(); ++i) {
        const size_t plane = i / s.results(), row = i / s.columns() % s.rows(), column = i % s.columns();
        const size_t corner = (plane * s.height + row * s.stride) * s.width + column * s.stride;
        double sum = 0;
        size_t best = corner;
        for (size_t y = 0; y < s.kernel; ++y) {
            for (size_t x = 0; x < s.kernel; ++x) {
                const size_t at = corner + y * s.width + x;
                sum += input[at];
                if (input[at] > input[best]) best = at;
                out.spread[at] = static_cast<float>(out.spread[at] + gradient[i] / area);
            }
        }
        out.means.push_back(static_cast<float>(sum / area));
        out.largest.push_back(input[best]);
        out.winners.push_back(static_cast<uint32_t>(best));
        out.rewarded[best] = static_cast<float>(static_cast<double>(out.rewarded[best]) + gradient[i]);
    }
    return out;
}

Results runAll(const PoolShape& s, const std::vector<float>& input, const std::vector<float>& gradient, const Kernels& kernels,
               Executor& executor) {
    const Runtime runtime{kernels, *testPool(), executor};
    Output means(s.outputSize()), spread(s.inputSize()), largest(s.outputSize()), rewarded(s.inputSize());
    std::vector<uint32_t> winners(s.outputSize() + 64, 77777);
    averagePool(s, input.data(), means.data(), runtime);
    averagePoolBackward(s, gradient.data(), spread.data(), runtime);
    maxPool(s, input.data(), largest.data(), winners.data(), runtime);
    maxPoolBackward(s, gradient.data(), winners.data(), rewarded.data(), runtime);
    CHECK(means.intact() && spread.intact() && largest.intact() && rewarded.intact());
    for (size_t i = s.outputSize(); i < winners.size(); ++i) CHECK_EQUAL(winners[i], 77777u);
    winners.resize(s.outputSize());
    return {means.values(), spread.values(), largest.values(), rewarded.values(), winners};
}

// Few different values, so that windows have equal ones; now and then none at all.
std::vector<float> coarse(size_t count, Random& random) {
    std::vector<float> out = randomFloats(count, random);
    for (float& x : out) x = random.below(40) == 0 ? NAN : random.below(9) == 0 ? -0.0f : std::round(x * 3) / 3;
    return out;
}

}  // namespace

TEST(poolsAgreeToTheBitOnEveryKernelAndNumberOfThreads) {
    Random random(71);
    SerialExecutor serial;
    SchedulerOptions options;
    options.threads = 3;
    Scheduler scheduler(options);
    std::vector<PoolShape> shapes{
        {64 * 6, 28, 28, 2, 2}, {40, 10, 10, 2, 2}, {60, 29, 31, 2, 2}, {1, 2, 2, 2, 2}, {2, 3, 40, 2, 2}};
    for (int i = 0; i < 120; ++i) {
        const size_t kernel = 1 + random.below(4);
        shapes.push_back(
            {1 + random.below(30), kernel + random.below(20), kernel + random.below(20), kernel, 1 + random.below(4)});
    }
    for (const PoolShape& shape : shapes) {
        const auto input = coarse(shape.inputSize(), random), gradient = randomFloats(shape.outputSize(), random);
        const Results want = naive(shape, input, gradient);
        for (const Kernels* kernels : supportedKernels()) {
            CHECK(runAll(shape, input, gradient, *kernels, serial).same(want));
            CHECK(runAll(shape, input, gradient, *kernels, scheduler).same(want));
        }
    }
}

TEST(winnersAreCheckedBeforeTheyAreUsed) {
    SerialExecutor serial;
    const PoolShape shape{3, 2, 2, 2, 2};
    const std::vector<float> gradient{1, 2, 4};
    std::vector<float> input(12);
    const Runtime runtime{scalarKernels(), *testPool(), serial};
    for (const uint32_t wrong : {12u, 0xffffffffu}) {
        const std::vector<uint32_t> winners{0, wrong, 8};
        CHECK_THROWS(maxPoolBackward(shape, gradient.data(), winners.data(), input.data(), runtime));
    }
    const std::vector<uint32_t> elsewhere{5, 5, 0};   // indices all the same, if not those of maxPool
    maxPoolBackward(shape, gradient.data(), elsewhere.data(), input.data(), runtime);
    std::vector<float> want(12);
    want[5] = 3;
    want[0] = 4;
    CHECK(input == want);
}

TEST(poolsThatAreNoneAreRefused) {
    const auto check = [](const PoolShape& shape) { shape.check(); };
    check({1, 2, 2, 2, 5});
    CHECK_THROWS(check({1, 2, 2, 3, 1}));
    CHECK_THROWS(check({1, 2, 2, 2, 0}));
    CHECK_THROWS(check({0, 2, 2, 2, 2}));
    CHECK_THROWS(check({1u << 31, 2, 2, 2, 2}));
    CHECK_THROWS(check({0xffffffff, 0xffffffff, 0xffffffff, 2, 2}));
}

TEST_MAIN()
