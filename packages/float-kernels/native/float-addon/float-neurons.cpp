// Glue of the neurons' jobs: programs and numbers are copied and checked, arrays stay where they are.
#include "float-object.h"
#include "float-pins.h"
#include "float/neurons.h"

namespace heml::addon {

namespace {

// Small arrays are copied: the work runs later.
template <typename Typed>
auto copied(Typed array) {
    return std::vector(array.Data(), array.Data() + array.ElementLength());
}

std::vector<uint32_t> wordsOfCount(const Napi::CallbackInfo& info, size_t i, const char* name, size_t count) {
    auto words = copied(wordsOf(info, i, name));
    if (words.size() != count) badArgument(info.Env(), name, (std::to_string(count) + " numbers").c_str());
    return words;
}

std::vector<double> doublesOfCount(const Napi::CallbackInfo& info, size_t i, const char* name, size_t count) {
    auto doubles = copied(doublesOf(info, i, name));
    if (doubles.size() != count) badArgument(info.Env(), name, (std::to_string(count) + " numbers").c_str());
    return doubles;
}

// Arguments i and i + 1: words (inputs, output, then operation, a, b of each instruction), and one constant per instruction.
f32::Program programOf(const Napi::CallbackInfo& info, size_t i, const char* name) {
    const auto words = copied(wordsOf(info, i, name));
    if (words.size() < 2 || (words.size() - 2) % 3 != 0) badArgument(info.Env(), name, "two numbers and three per instruction");
    if (words[0] != f32::Program::INPUTS) badArgument(info.Env(), name, "a program with 2 inputs");
    const auto constants = doublesOfCount(info, i + 1, name, (words.size() - 2) / 3);
    f32::Program program;
    program.output = words[1];
    for (size_t k = 0; k < constants.size(); ++k) {
        const uint32_t* word = &words[2 + 3 * k];
        program.instructions.push_back(
            {static_cast<f32::Operation>(word[0]), word[1], word[2], static_cast<float>(constants[k])});
    }
    program.check(name);
    return program;
}

// Arguments 0 to 5: sizes (timeSteps, inputSteps, size, and `more`), programs, numbers (threshold, the grid's step and count
// or 0, and `more`).
f32::NeuronModel modelOf(const Napi::CallbackInfo& info, const std::vector<uint32_t>& sizes, const std::vector<double>& numbers) {
    f32::NeuronModel model{
        programOf(info, 1, "charge"), programOf(info, 3, "reset"), numbers[0], std::nullopt, sizes[0], sizes[1], sizes[2]};
    if (numbers[2] != 0) model.grid = f32::Grid{numbers[1], numbers[2]};
    model.check();
    return model;
}

}  // namespace

Napi::Value FloatObject::neurons(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        f32::NeuronForwardJob job{};
        job.model = modelOf(info, wordsOfCount(info, 0, "sizes", 3), doublesOfCount(info, 5, "numbers", 3));
        const size_t steps = job.model.steps();
        auto pins = std::make_shared<Pins>();
        job.input = pins->add(info, 6, "input", job.model.inputs());
        job.spikes = pins->add(info, 7, "spikes", steps);
        job.membranePotentials = pins->add(info, 8, "membranePotentials", steps);
        job.charged = pins->addOptional(info, 9, "charged", steps);
        return promise(env, std::move(pins), [job](const f32::Runtime& runtime) { f32::neuronsForward(job, runtime); });
    });
}

Napi::Value FloatObject::neuronsBackward(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const auto sizes = wordsOfCount(info, 0, "sizes", 5);
        const auto numbers = doublesOfCount(info, 5, "numbers", 6);
        f32::NeuronBackwardJob job{};
        job.model = modelOf(info, sizes, numbers);
        job.surrogate = {static_cast<f32::SurrogateKind>(sizes[3]), numbers[3], numbers[4]};
        job.detachReset = sizes[4] != 0;
        job.pull = numbers[5];
        job.check();
        const size_t steps = job.model.steps();
        auto pins = std::make_shared<Pins>();
        job.input = pins->add(info, 6, "input", job.model.inputs());
        job.membranePotentials = pins->add(info, 7, "membranePotentials", steps);
        job.spikeGradient = pins->addOptional(info, 8, "spikeGradient", steps);
        job.membraneGradient = pins->addOptional(info, 9, "membraneGradient", steps);
        job.inputGradient = pins->add(info, 10, "inputGradient", job.model.inputs());
        return promise(env, std::move(pins), [job](const f32::Runtime& runtime) { f32::neuronsBackward(job, runtime); });
    });
}

}  // namespace heml::addon
