// Normalisation of every kernel against naive loops in the documented order, to the bit.
#include "float-training-helpers.h"

using namespace heml::test;
using heml::Executor;
using heml::Scheduler;
using heml::SchedulerOptions;
using heml::SerialExecutor;

namespace {

struct Tensors {
    std::vector<float> input, gradient, scale, shift;
    std::vector<double> factor, average, centre, slope;
    Tensors(const ChannelShape& s, Random& random)
        : input(randomFloats(s.size(), random)),
          gradient(randomFloats(s.size(), random)),
          scale(randomFloats(s.channels, random)),
          shift(randomFloats(s.channels, random)) {
        for (auto* numbers : {&factor, &average, &centre, &slope}) {
            for (size_t c = 0; c < s.channels; ++c) numbers->push_back(static_cast<double>(random.below(1u << 30)) / 7e8 - 0.7);
        }
    }
};

struct Results {
    std::vector<double> mean, variance, plain, weighted;
    std::vector<float> scaled, inputGradient;
    bool same(const Results& o) const {
        return mean == o.mean && variance == o.variance && plain == o.plain && weighted == o.weighted &&
               sameNumbers(scaled, o.scaled) && sameNumbers(inputGradient, o.inputGradient);
    }
};

Results naive(const ChannelShape& s, const Tensors& t) {
    Results out;
    for (auto* sums : {&out.mean, &out.variance, &out.plain, &out.weighted}) sums->assign(s.channels, 0);
    const auto sum = [&](size_t c, const auto& term) {
        double total = 0;
        for (size_t n = 0; n < s.images; ++n) {
            const size_t at = (n * s.channels + c) * s.positions;
            total += naiveLanes(s.positions, [&](size_t p) { return term(at + p); });
        }
        return total;
    };
    const double count = static_cast<double>(s.images * s.positions);
    for (size_t c = 0; c < s.channels; ++c) {
        out.mean[c] = sum(c, [&](size_t i) { return static_cast<double>(t.input[i]); }) / count;
        out.variance[c] = sum(c,
                              [&](size_t i) {
                                  const double d = t.input[i] - out.mean[c];
                                  return d * d;
                              }) /
                          count;
        out.plain[c] = sum(c, [&](size_t i) { return static_cast<double>(t.gradient[i]); });
        out.weighted[c] = sum(c, [&](size_t i) { return static_cast<double>(t.gradient[i]) * t.input[i]; });
    }
    for (size_t i = 0; i < s.size(); ++i) {
        const size_t c = i / s.positions % s.channels;
        const double x = t.input[i], g = t.gradient[i];
        out.scaled.push_back(static_cast<float>(static_cast<double>(t.scale[c]) * x + t.shift[c]));
        out.inputGradient.push_back(static_cast<float>(t.factor[c] * (g - t.average[c] - (x - t.centre[c]) * t.slope[c])));
    }
    return out;
}

Results runAll(const ChannelShape& s, const Tensors& t, const Kernels& kernels, Executor& executor) {
    const Runtime runtime{kernels, *testPool(), executor};
    Results out;
    for (auto* sums : {&out.mean, &out.variance, &out.plain, &out.weighted}) sums->assign(s.channels, NAN);
    channelMoments(s, t.input.data(), out.mean.data(), out.variance.data(), runtime);
    channelSums(s, t.gradient.data(), t.input.data(), out.plain.data(), out.weighted.data(), runtime);
    Output scaled(s.size()), inputGradient(s.size());
    scaleChannels(s, t.input.data(), t.scale.data(), t.shift.data(), scaled.data(), runtime);
    normalizationBackward(s, t.gradient.data(), t.input.data(),
                          {t.factor.data(), t.average.data(), t.centre.data(), t.slope.data()}, inputGradient.data(), runtime);
    CHECK(scaled.intact() && inputGradient.intact());
    out.scaled = scaled.values();
    out.inputGradient = inputGradient.values();
    return out;
}

}  // namespace

TEST(channelsAgreeToTheBitOnEveryKernelAndNumberOfThreads) {
    Random random(61);
    SerialExecutor serial;
    SchedulerOptions options;
    options.threads = 3;
    Scheduler scheduler(options);
    std::vector<ChannelShape> shapes{{64, 6, 784},  {1, 1, 1},     {70, 120, 5}, {3, 2, 16}, {5, 130, 64},
                                     {256, 120, 1}, {400, 133, 1}, {9, 5, 1}};   // columns; the second on several threads
    for (int i = 0; i < 80; ++i) shapes.push_back({1 + random.below(9), 1 + random.below(9), 1 + random.below(60)});
    for (const ChannelShape& shape : shapes) {
        const Tensors tensors(shape, random);
        const Results want = naive(shape, tensors);
        for (const Kernels* kernels : supportedKernels()) {
            CHECK(runAll(shape, tensors, *kernels, serial).same(want));
            CHECK(runAll(shape, tensors, *kernels, scheduler).same(want));
        }
    }
}

TEST(emptyChannelsAreRefused) {
    const auto check = [](const ChannelShape& shape) { shape.check(); };
    check({1, 1, 1});
    CHECK_THROWS(check({0, 1, 1}));
    CHECK_THROWS(check({1, 0, 1}));
    CHECK_THROWS(check({1, 1, 0}));
    CHECK_THROWS(check({0xffffffff, 0xffffffff, 0xffffffff}));
}

TEST_MAIN()
