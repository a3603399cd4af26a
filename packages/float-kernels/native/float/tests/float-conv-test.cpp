// Convolutions and both gradients of every kernel against the definition in double precision; threads and kernels compared.
#include "float-helpers.h"

using namespace heml::test;
using heml::Executor;
using heml::Scheduler;
using heml::SchedulerOptions;
using heml::SerialExecutor;

namespace {

std::string describe(const ConvShape& s) {
    std::ostringstream out;
    out << s.batch << "x" << s.inChannels << "x" << s.height << "x" << s.width << " -> " << s.outChannels << " kernel "
        << s.kernel[0] << "x" << s.kernel[1] << " stride " << s.stride[0] << "x" << s.stride[1] << " padding " << s.padding[0]
        << "x" << s.padding[1] << " groups " << s.groups;
    return out.str();
}

std::vector<ConvShape> shapes() {
    std::vector<ConvShape> all = {
        {3, 1, 28, 28, 6, {5, 5}, {1, 1}, {2, 2}, 1}, {7, 6, 14, 14, 16, {5, 5}, {1, 1}, {0, 0}, 1},
        {2, 16, 8, 8, 32, {1, 1}, {2, 2}, {0, 0}, 1}, {2, 40, 8, 8, 33, {3, 3}, {1, 1}, {1, 1}, 1},
        {2, 8, 9, 7, 8, {3, 3}, {2, 2}, {1, 1}, 8},   {1, 3, 33, 21, 5, {7, 7}, {2, 2}, {3, 3}, 1},
        {1, 2, 5, 6, 3, {2, 3}, {3, 1}, {4, 0}, 1},   {40, 2, 5, 5, 2, {5, 5}, {1, 1}, {0, 0}, 2},
        {1, 1, 1, 1, 1, {1, 1}, {1, 1}, {0, 0}, 1},   {1, 70, 40, 40, 8, {3, 3}, {1, 1}, {1, 1}, 1},
        {1, 1, 1, 300, 2, {1, 9}, {1, 4}, {0, 4}, 1}, {2, 1, 2, 2, 1, {1, 1}, {5, 5}, {0, 0}, 1},
    };
    Random random(41);
    while (all.size() < 60) {
        const auto pick = [&](size_t most) { return 1 + static_cast<size_t>(random.below(most)); };
        const size_t groups = pick(3);
        const ConvShape s{pick(4),
                          groups * pick(4),
                          pick(17),
                          pick(19),
                          groups * pick(7),
                          {pick(5), pick(5)},
                          {pick(3), pick(3)},
                          {pick(4) - 1, pick(4) - 1},
                          groups};
        if (s.kernel[0] <= s.height + 2 * s.padding[0] && s.kernel[1] <= s.width + 2 * s.padding[1]) all.push_back(s);
    }
    return all;
}

// Calls visit(output index, input index, weight index) of every product in the definition.
template <class Visit>
void everyProduct(const ConvShape& s, Visit visit) {
    const size_t oh = s.outHeight(), ow = s.outWidth();
    for (size_t n = 0; n < s.batch; ++n)
        for (size_t o = 0; o < s.outChannels; ++o)
            for (size_t y = 0; y < oh; ++y)
                for (size_t x = 0; x < ow; ++x)
                    for (size_t i = 0; i < s.groupIn(); ++i)
                        for (size_t ky = 0; ky < s.kernel[0]; ++ky)
                            for (size_t kx = 0; kx < s.kernel[1]; ++kx) {
                                const size_t iy = y * s.stride[0] + ky - s.padding[0], ix = x * s.stride[1] + kx - s.padding[1];
                                if (iy >= s.height || ix >= s.width) continue;   // negative ones wrap to huge
                                const size_t channel = o / s.groupOut() * s.groupIn() + i;
                                visit(((n * s.outChannels + o) * oh + y) * ow + x,
                                      ((n * s.inChannels + channel) * s.height + iy) * s.width + ix,
                                      ((o * s.groupIn() + i) * s.kernel[0] + ky) * s.kernel[1] + kx);
                            }
}

struct Tensors {
    std::vector<float> input, weight, bias, gradient;
    Tensors(const ConvShape& s, Random& random)
        : input(randomFloats(s.inputSize(), random)),
          weight(randomFloats(s.weightSize(), random)),
          bias(randomFloats(s.outChannels, random)),
          gradient(randomFloats(s.outputSize(), random)) {}
};

struct Results {
    std::vector<float> output, inputGradient, weightGradient, biasGradient;
    bool same(const Results& other) const {
        return sameBits(output, other.output) && sameBits(inputGradient, other.inputGradient) &&
               sameBits(weightGradient, other.weightGradient) && sameBits(biasGradient, other.biasGradient);
    }
};

Results runAll(const ConvShape& s, const Tensors& t, const Kernels& kernels, Executor& executor) {
    const Runtime runtime{kernels, *testPool(), executor};
    Output output(s.outputSize()), inputGradient(s.inputSize()), weightGradient(s.weightSize()), biasGradient(s.outChannels);
    convForward(s, t.input.data(), t.weight.data(), t.bias.data(), output.data(), runtime);
    convBackwardInput(s, t.gradient.data(), t.weight.data(), inputGradient.data(), runtime);
    convBackwardWeight(s, t.input.data(), t.gradient.data(), weightGradient.data(), biasGradient.data(), runtime);
    CHECK(output.intact() && inputGradient.intact() && weightGradient.intact() && biasGradient.intact());
    return {output.values(), inputGradient.values(), weightGradient.values(), biasGradient.values()};
}

void compare(const std::vector<float>& got, const std::vector<Exact>& want, size_t terms, const std::string& what) {
    size_t wrong = 0;
    for (size_t i = 0; i < got.size(); ++i)
        if (!within(got[i], want[i], 2 * terms)) ++wrong;
    CHECK_EQUAL(wrong == 0 ? what : what + ": wrong " + std::to_string(wrong) + " of " + std::to_string(got.size()), what);
}

void checkAll(const ConvShape& s, const Tensors& t, const Results& got, const std::string& name) {
    std::vector<Exact> output(s.outputSize()), inputGradient(s.inputSize());
    std::vector<Exact> weightGradient(s.weightSize()), biasGradient(s.outChannels);
    const size_t positions = s.outHeight() * s.outWidth();
    for (size_t i = 0; i < output.size(); ++i) {
        output[i].add(t.bias[i / positions % s.outChannels]);
        biasGradient[i / positions % s.outChannels].add(t.gradient[i]);
    }
    everyProduct(s, [&](size_t o, size_t i, size_t w) {
        output[o].add(static_cast<double>(t.input[i]) * t.weight[w]);
        inputGradient[i].add(static_cast<double>(t.gradient[o]) * t.weight[w]);
        weightGradient[w].add(static_cast<double>(t.gradient[o]) * t.input[i]);
    });
    compare(got.output, output, s.groupIn() * s.taps() + 1, name + " forward");
    compare(got.inputGradient, inputGradient, s.groupOut() * s.taps(), name + " inputGradient");
    compare(got.weightGradient, weightGradient, std::min<size_t>(s.batch * positions, 4096), name + " weightGradient");
    compare(got.biasGradient, biasGradient, std::min<size_t>(s.batch * positions, 4096), name + " biasGradient");
}

}  // namespace

TEST(convolutionsAgreeWithDoublePrecision) {
    Random random(42);
    SerialExecutor serial;
    for (const ConvShape& s : shapes()) {
        const Tensors t(s, random);
        Results fused;
        for (const Kernels* kernels : supportedKernels()) {
            const Results got = runAll(s, t, *kernels, serial);
            checkAll(s, t, got, std::string(kernels->name) + " " + describe(s));
            if (std::string(kernels->name) == "scalar") continue;
            if (!fused.output.empty()) CHECK(got.same(fused));
            fused = got;
        }
    }
}

TEST(convolutionsAreTheSameOnAnyNumberOfThreads) {
    Random random(43);
    SerialExecutor serial;
    for (const unsigned threads : {2u, 3u}) {
        SchedulerOptions options;
        options.threads = threads;
        Scheduler scheduler(options);
        for (const ConvShape& s : shapes()) {
            const Tensors t(s, random);
            for (const Kernels* kernels : supportedKernels())
                CHECK(runAll(s, t, *kernels, scheduler).same(runAll(s, t, *kernels, serial)));
        }
    }
}

TEST(biasIsOptional) {
    Random random(44);
    SerialExecutor serial;
    const ConvShape s{2, 3, 9, 9, 4, {3, 3}, {1, 1}, {1, 1}, 1};
    const Tensors t(s, random);
    const Runtime runtime{**(supportedKernels().end() - 1), *testPool(), serial};
    const Results with = runAll(s, t, runtime.kernels, serial);
    Output output(s.outputSize()), weightGradient(s.weightSize());
    convForward(s, t.input.data(), t.weight.data(), nullptr, output.data(), runtime);
    convBackwardWeight(s, t.input.data(), t.gradient.data(), weightGradient.data(), nullptr, runtime);
    auto want = output.values();
    for (size_t i = 0; i < want.size(); ++i) want[i] += t.bias[i / 81 % 4];
    CHECK(sameBits(want, with.output));
    CHECK(sameBits(weightGradient.values(), with.weightGradient));
}

TEST(shapesAreChecked) {
    const ConvShape good{1, 4, 5, 5, 6, {3, 3}, {1, 1}, {0, 0}, 2};
    good.check();
    auto bad = [&](auto change) {
        ConvShape s = good;
        change(s);
        CHECK_THROWS(s.check());
    };
    bad([](ConvShape& s) { s.batch = 0; });
    bad([](ConvShape& s) { s.groups = 4; });
    bad([](ConvShape& s) { s.groups = 3; });
    bad([](ConvShape& s) { s.stride[1] = 0; });
    bad([](ConvShape& s) { s.kernel[0] = 6; });
    bad([](ConvShape& s) { s.padding[0] = ~size_t{0}; });
    bad([](ConvShape& s) { s.batch = s.height = s.width = size_t{1} << 31; });
}

TEST_MAIN()
