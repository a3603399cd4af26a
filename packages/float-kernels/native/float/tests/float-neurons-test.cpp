// Neurons of every kernel against loops over single values, to the bit; programs that are none are refused.
#include <limits>

#include "float-training-helpers.h"

using namespace heml::test;
using heml::Executor;
using heml::Scheduler;
using heml::SchedulerOptions;
using heml::SerialExecutor;

namespace {

const Program LEAK{{{Operation::Scale, 0, 0, 0.9f}, {Operation::Add, 2, 1, 0}}, 3};
const Program KEEP{{{Operation::Add, 0, 1, 0}}, 2};
const Program QUADRATIC{{{Operation::AddConstant, 0, 0, -0.25f},
                         {Operation::Scale, 2, 0, 0.5f},
                         {Operation::AddConstant, 0, 0, -0.75f},
                         {Operation::Mul, 3, 4, 0},
                         {Operation::Add, 5, 1, 0}},
                        6};
const Program SQUARE{{{Operation::AddConstant, 0, 0, -0.5f},
                      {Operation::Square, 2, 0, 0},
                      {Operation::Scale, 3, 0, 0.7f},
                      {Operation::Add, 4, 1, 0}},
                     5};
const Program SUBTRACT{{{Operation::Scale, 1, 0, 0.75f}, {Operation::Sub, 0, 2, 0}}, 3};
const Program TO_ZERO{{{Operation::Scale, 1, 0, -1}, {Operation::AddConstant, 2, 0, 1}, {Operation::Mul, 0, 3, 0}}, 4};
const Program NONE{{}, 0};
const Program SPIKE_ONLY{{{Operation::Scale, 1, 0, 0.3f}}, 2};   // v does not reach the result

// Any valid program: what the interpreter must follow, sensible or not.
Program randomProgram(Random& random) {
    Program program;
    const size_t count = random.below(8);
    for (uint32_t k = 0; k < count; ++k) {
        const auto reg = [&] { return static_cast<uint32_t>(random.below(2 + k)); };
        const float constant = static_cast<float>(random.below(9)) * 0.25f - 1;
        program.instructions.push_back({static_cast<Operation>(random.below(6)), reg(), reg(), constant});
    }
    program.output = static_cast<uint32_t>(random.below(2 + count));
    return program;
}

NeuronModel randomModel(Random& random) {
    const Program charges[] = {LEAK, KEEP, QUADRATIC, SQUARE, randomProgram(random)};
    const Program resets[] = {SUBTRACT, TO_ZERO, NONE, SPIKE_ONLY, randomProgram(random)};
    const size_t sizes[] = {1, 5, 12, 13, 100, 511, 512, 513, 1700, 20000};
    NeuronModel model{};
    model.charge = charges[random.below(5)];
    model.reset = resets[random.below(5)];
    model.threshold = 0.7;
    model.timeSteps = 1 + random.below(5);
    model.inputSteps = 1;
    model.size = sizes[random.below(10)];
    if (random.below(2) == 1) model.inputSteps = model.timeSteps;
    if (random.below(3) == 0) model.grid = Grid{random.below(2) == 1 ? 0.125 : 0.11, random.below(2) == 1 ? 16.0 : 4.0};
    return model;
}

NeuronGradients randomGradients(const NeuronModel& model, Random& random) {
    NeuronGradients out{{static_cast<SurrogateKind>(random.below(3)), 0.4, 1.3}, random.below(2) == 1, {}, {}, 0};
    if (random.below(4) != 0) out.spike = randomFloats(model.steps(), random);
    if (random.below(2) == 1) out.membrane = randomFloats(model.steps(), random);
    if (random.below(2) == 1) out.pull = 0.37;
    return out;
}

const float* orNull(const std::vector<float>& values) { return values.empty() ? nullptr : values.data(); }

NeuronResults runNeurons(const NeuronModel& model, const std::vector<float>& input, const NeuronGradients& from,
                         const Kernels& kernels, Executor& executor) {
    const Runtime runtime{kernels, *testPool(), executor};
    Output spikes(model.steps()), membranes(model.steps()), charged(model.steps()), gradient(model.inputs());
    neuronsForward({model, input.data(), spikes.data(), membranes.data(), charged.data()}, runtime);
    Output again(model.steps()), membranesAgain(model.steps());
    neuronsForward({model, input.data(), again.data(), membranesAgain.data(), nullptr}, runtime);
    CHECK(sameNumbers(again.values(), spikes.values()) && sameNumbers(membranesAgain.values(), membranes.values()));
    neuronsBackward({model, from.surrogate, from.detachReset, input.data(), membranes.data(), orNull(from.spike),
                     orNull(from.membrane), gradient.data(), from.pull},
                    runtime);
    CHECK(spikes.intact() && membranes.intact() && charged.intact() && gradient.intact());
    return {spikes.values(), membranes.values(), charged.values(), gradient.values()};
}

bool same(const NeuronResults& a, const NeuronResults& b) {
    return sameNumbers(a.spikes, b.spikes) && sameNumbers(a.membranes, b.membranes) && sameNumbers(a.charged, b.charged) &&
           sameNumbers(a.inputGradient, b.inputGradient);
}

}  // namespace

TEST(neuronsAgreeToTheBitOnEveryKernelAndNumberOfThreads) {
    Random random(51);
    SerialExecutor serial;
    SchedulerOptions options;
    options.threads = 3;
    Scheduler scheduler(options);
    for (int i = 0; i < 300; ++i) {
        const NeuronModel model = randomModel(random);
        const NeuronGradients from = randomGradients(model, random);
        std::vector<float> input = randomFloats(model.inputs(), random);
        for (float& x : input) x *= 3;
        const NeuronResults want = naiveNeurons(model, input, from);
        for (const Kernels* kernels : supportedKernels()) {
            CHECK(same(runNeurons(model, input, from, *kernels, serial), want));
            CHECK(same(runNeurons(model, input, from, *kernels, scheduler), want));
        }
    }
}

TEST(neuronsTakeInfinitiesAndNaNAsTheLoopsDo) {
    SerialExecutor serial;
    Random random(52);
    const float infinity = std::numeric_limits<float>::infinity();
    for (const int kind : {0, 1, 2}) {   // without a grid, with one, with one that pulls
        NeuronModel model{LEAK, SUBTRACT, 0.7, std::nullopt, 3, 1, 600};
        if (kind > 0) model.grid = Grid{0.125, 16};
        std::vector<float> input = randomFloats(600, random);
        const float specials[] = {NAN, infinity, -infinity, -0.0f, 1e-45f, 3e38f, 0.7f};
        for (size_t i = 0; i < 7; ++i) input[i * 71 + 3] = specials[i];
        const NeuronGradients from{
            {SurrogateKind::Rectangle, 0.4, 1.3}, false, randomFloats(1800, random), {}, kind == 2 ? 0.5 : 0.0};
        const NeuronResults want = naiveNeurons(model, input, from);
        CHECK_EQUAL(want.spikes[3], 0.0f);
        for (const Kernels* kernels : supportedKernels()) CHECK(same(runNeurons(model, input, from, *kernels, serial), want));
    }
}

TEST(aHandComputesTwoSteps) {
    SerialExecutor serial;
    const NeuronModel model{
        {{{Operation::Scale, 0, 0, 0.5f}, {Operation::Add, 2, 1, 0}}, 3}, SUBTRACT, 0.75, std::nullopt, 2, 1, 2};
    const std::vector<float> input{0.5f, 1.0f};
    std::vector<float> spikes(4), membranes(4), gradient(2);
    const Runtime runtime{scalarKernels(), *testPool(), serial};
    neuronsForward({model, input.data(), spikes.data(), membranes.data(), nullptr}, runtime);
    CHECK(spikes == std::vector<float>({0, 1, 1, 1}));
    CHECK(membranes == std::vector<float>({0.5f, 0.25f, 0, 0.375f}));   // 0.75 fires at once
    const std::vector<float> ones(4, 1.0f);
    // detached: d input = slope of step 2 + (slope of step 1 + 0.5 slope of step 2); |v - 0.75| <= 0.3 everywhere but at 1.125
    neuronsBackward(
        {model, {SurrogateKind::Rectangle, 0.3, 1}, true, input.data(), membranes.data(), ones.data(), nullptr, gradient.data()},
        runtime);
    CHECK(gradient == std::vector<float>({2.5f, 1.0f}));
}

TEST(clippedMembranesArePulledToTheBorder) {
    SerialExecutor serial;
    const NeuronModel model{{{{Operation::Add, 0, 1, 0}}, 2}, SUBTRACT, 0.75, Grid{0.5, 4}, 1, 1, 5};
    // the grid is -1 to 0.5, its borders -1.25 and 0.75
    const std::vector<float> input{-2.25f, -1.25f, 0.25f, 0.75f, 2.75f}, ones(5, 1.0f);
    std::vector<float> spikes(5), membranes(5), gradient(5);
    for (const Kernels* kernels : supportedKernels()) {
        const Runtime runtime{*kernels, *testPool(), serial};
        neuronsForward({model, input.data(), spikes.data(), membranes.data(), nullptr}, runtime);
        const Surrogate none{SurrogateKind::Rectangle, 1, 0};
        const auto back = [&](double pull) {
            neuronsBackward({model, none, true, input.data(), membranes.data(), nullptr, ones.data(), gradient.data(), pull},
                            runtime);
            return gradient;
        };
        CHECK(back(0) == std::vector<float>({0, 1, 1, 0, 0}));
        CHECK(back(0.25) == std::vector<float>({-0.25f, 1, 1, 0, 0.5f}));
        CHECK_THROWS(back(-1));
        CHECK_THROWS(back(NAN));
        CHECK_THROWS(back(INFINITY));
    }
}

TEST(programsThatAreNoneAreRefused) {
    const auto check = [](Program program) { program.check("charge"); };
    check({{}, 1});
    CHECK_THROWS(check({{}, 2}));
    CHECK_THROWS(check({{{Operation::Add, 0, 2, 0}}, 2}));
    CHECK_THROWS(check({{{Operation::Scale, 2, 0, 0}}, 2}));
    CHECK_THROWS(check({{{Operation::Add, 0xffffffff, 0, 0}}, 2}));
    CHECK_THROWS(check({{{static_cast<Operation>(6), 0, 0, 0}}, 2}));
    check({{{Operation::Scale, 0, 77, 0}}, 2});  // b of an operation with one operand means nothing
    CHECK_THROWS(check({std::vector<heml::f32::Instruction>(65, {Operation::Add, 0, 1, 0}), 2}));
    check({std::vector<heml::f32::Instruction>(64, {Operation::Add, 0, 1, 0}), 65});
}

TEST(modelsThatAreNoneAreRefused) {
    const NeuronModel good{LEAK, SUBTRACT, 0.7, Grid{0.5, 4}, 3, 1, 4};
    good.check();
    const auto changed = [&](auto change) {
        NeuronModel model = good;
        change(model);
        model.check();
    };
    CHECK_THROWS(changed([](NeuronModel& m) { m.threshold = NAN; }));
    CHECK_THROWS(changed([](NeuronModel& m) { m.grid->step = 0; }));
    CHECK_THROWS(changed([](NeuronModel& m) { m.grid->count = 3; }));
    CHECK_THROWS(changed([](NeuronModel& m) { m.grid->count = 0x1p33; }));
    CHECK_THROWS(changed([](NeuronModel& m) { m.timeSteps = 0; }));
    CHECK_THROWS(changed([](NeuronModel& m) { m.inputSteps = 2; }));
    CHECK_THROWS(changed([](NeuronModel& m) { m.size = size_t{1} << 40; }));
    CHECK_THROWS(changed([](NeuronModel& m) { m.reset.output = 9; }));
}

TEST_MAIN()
