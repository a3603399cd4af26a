// Neurons, normalisation and pooling at the sizes of LeNet-5 (batch 64, four time steps). Their limit is memory, so each
// call takes the next of several sets of arrays that together are larger than the last-level cache, and the yardstick is
// a copy of 4 MB under the same conditions. Bytes: every array that the definition names, once.
#pragma once

#include <cstdio>
#include <cstring>
#include <vector>

#include "float/channels.h"
#include "float/neurons.h"
#include "float/pool.h"
#include "measure.h"

namespace heml::f32::bench {

class TrainingCases {
public:
    explicit TrainingCases(const Bench& bench) : bench_(bench) {}

    void all() {
        const Program charge{{{Operation::Scale, 0, 0, 0.9f}, {Operation::Add, 2, 1, 0}}, 3};
        const Program reset{{{Operation::Scale, 1, 0, 0.75f}, {Operation::Sub, 0, 2, 0}}, 3};
        const Program quadratic{{{Operation::AddConstant, 0, 0, -0.25f},
                                 {Operation::Scale, 2, 0, 0.5f},
                                 {Operation::AddConstant, 0, 0, -0.75f},
                                 {Operation::Mul, 3, 4, 0},
                                 {Operation::Add, 5, 1, 0}},
                                6};
        const NeuronModel still{charge, reset, 0.75, std::nullopt, 4, 1, FIRST};
        neurons("neurons lif, still input", still);
        neurons("neurons lif", {charge, reset, 0.75, std::nullopt, 4, 4, FIRST});
        neurons("neurons qif, still input", {quadratic, reset, 0.75, std::nullopt, 4, 1, FIRST});
        neurons("neurons lif on a grid, still input", {charge, reset, 0.75, Grid{0.0625, 64}, 4, 1, FIRST});
        backward("neurons backward, rectangle, still input", still, {SurrogateKind::Rectangle, 0.5, 1});
        backward("neurons backward, arctangent, still input", still, {SurrogateKind::Arctangent, 0.5, 1});
        backward("neurons backward, fast sigmoid, still input", still, {SurrogateKind::FastSigmoid, 0.5, 1});
        backward("neurons backward, rectangle", {charge, reset, 0.75, std::nullopt, 4, 4, FIRST},
                 {SurrogateKind::Rectangle, 0.5, 1});
        backward("neurons backward, qif, arctangent", {quadratic, reset, 0.75, std::nullopt, 4, 1, FIRST},
                 {SurrogateKind::Arctangent, 0.5, 1});
        channels("channels 256 x 6 x 784", {256, 6, 784});
        channels("channels 256 x 16 x 100", {256, 16, 100});
        pools("pool 2 of 28 x 28", {256 * 6, 28, 28, 2, 2});
        pools("pool 2 of 10 x 10", {256 * 16, 10, 10, 2, 2});
        pools("pool 3, stride 2, of 28 x 28", {256 * 6, 28, 28, 3, 2});
    }

private:
    static constexpr size_t FIRST = 64 * 6 * 28 * 28;        // neurons of the first layer
    static constexpr size_t ROTATED = size_t{32} << 20;      // floats of all sets of one kind of array

    // Sets of one kind of array, taken in turn.
    struct Rotated {
        Rotated(size_t length, float scale) : length(length), count(ROTATED / length + 1), values(length * count) {
            uint32_t state = 1;
            for (float& x : values) {
                state = state * 1664525 + 1013904223;
                x = scale * static_cast<float>(static_cast<int32_t>(state)) * 0x1p-31f;
            }
        }
        float* at(size_t turn) { return values.data() + turn % count * length; }
        size_t length, count;
        std::vector<float> values;
    };

    void report(const std::string& name, size_t elements, double bytes, const std::function<void(const Runtime&)>& work) {
        if (!bench_.wants(name)) return;
        if (copied_ == 0) copy();
        const double best = bench_.seconds(work), rate = bytes / best * 1e-9;
        std::printf(
            "{\"name\":\"%s\",\"kernel\":\"%s\",\"threads\":%u,\"ms\":%.4f,\"nsPerElement\":%.3f,\"gigabytesPerSecond\":%.1f,"
            "\"ofCopy\":%.2f}\n",
            name.c_str(), bench_.kernels.name, bench_.scheduler.width(), best * 1e3, best * 1e9 / static_cast<double>(elements),
            rate, rate / copied_);
        std::fflush(stdout);
    }

    // Gigabytes read and written per second by memcpy, in pieces as large as the jobs' arrays, on as many threads.
    void copy() {
        constexpr size_t LENGTH = size_t{1} << 20, PART = size_t{1} << 14;
        Rotated from(LENGTH, 1), to(LENGTH, 0);
        size_t turn = 0;
        const double best = bench_.seconds([&](const Runtime& runtime) {
            ++turn;
            runtime.executor.parallelFor(LENGTH / PART, [&](size_t begin, size_t end) {
                std::memcpy(to.at(turn) + begin * PART, from.at(turn) + begin * PART, (end - begin) * PART * sizeof(float));
            });
        });
        copied_ = 2.0 * LENGTH * sizeof(float) / best * 1e-9;
        std::printf("{\"name\":\"copy\",\"threads\":%u,\"gigabytesPerSecond\":%.1f}\n", bench_.scheduler.width(), copied_);
    }

    static double bytesOf(size_t floats) { return 4.0 * static_cast<double>(floats); }

    void neurons(const std::string& name, const NeuronModel& model) {
        const size_t steps = model.steps();
        Rotated input(model.inputs(), 1.5f), spikes(steps, 0), membranes(steps, 0);
        size_t turn = 0;
        report(name, steps, bytesOf(model.inputs() + 2 * steps), [&](const Runtime& runtime) {
            ++turn;
            neuronsForward({model, input.at(turn), spikes.at(turn), membranes.at(turn), nullptr}, runtime);
        });
    }

    void backward(const std::string& name, const NeuronModel& model, const Surrogate& surrogate) {
        const size_t steps = model.steps();
        Rotated input(model.inputs(), 1.5f), membranes(steps, 1), gradient(steps, 1), inputGradient(model.inputs(), 0);
        size_t turn = 0;
        report(name, steps, bytesOf(2 * model.inputs() + 2 * steps), [&](const Runtime& runtime) {
            ++turn;
            neuronsBackward(
                {model, surrogate, false, input.at(turn), membranes.at(turn), gradient.at(turn), nullptr, inputGradient.at(turn)},
                runtime);
        });
    }

    void channels(const std::string& name, const ChannelShape& shape) {
        const size_t size = shape.size();
        Rotated input(size, 1), gradient(size, 1), output(size, 0);
        const std::vector<double> numbers(shape.channels, 0.5);
        const std::vector<float> floats(shape.channels, 0.5f);
        std::vector<double> first(shape.channels), second(shape.channels);
        size_t turn = 0;
        report(name + " moments", size, bytesOf(size),
               [&](const Runtime& runtime) { channelMoments(shape, input.at(++turn), first.data(), second.data(), runtime); });
        report(name + " scale", size, bytesOf(2 * size), [&](const Runtime& runtime) {
            ++turn;
            scaleChannels(shape, input.at(turn), floats.data(), floats.data(), output.at(turn), runtime);
        });
        report(name + " sums", size, bytesOf(2 * size), [&](const Runtime& runtime) {
            ++turn;
            channelSums(shape, gradient.at(turn), input.at(turn), first.data(), second.data(), runtime);
        });
        report(name + " normalizationBackward", size, bytesOf(3 * size), [&](const Runtime& runtime) {
            ++turn;
            normalizationBackward(shape, gradient.at(turn), input.at(turn),
                                  {numbers.data(), numbers.data(), numbers.data(), numbers.data()}, output.at(turn), runtime);
        });
    }

    void pools(const std::string& name, const PoolShape& shape) {
        const size_t inputs = shape.inputSize(), outputs = shape.outputSize();
        Rotated input(inputs, 1), output(outputs, 1), inputGradient(inputs, 0);
        std::vector<uint32_t> winners(outputs);
        size_t turn = 0;
        report(name + " averagePool", inputs, bytesOf(inputs + outputs), [&](const Runtime& runtime) {
            ++turn;
            averagePool(shape, input.at(turn), output.at(turn), runtime);
        });
        report(name + " averagePoolBackward", inputs, bytesOf(inputs + outputs), [&](const Runtime& runtime) {
            ++turn;
            averagePoolBackward(shape, output.at(turn), inputGradient.at(turn), runtime);
        });
        report(name + " maxPool", inputs, bytesOf(inputs + 2 * outputs), [&](const Runtime& runtime) {
            ++turn;
            maxPool(shape, input.at(turn), output.at(turn), winners.data(), runtime);
        });
        report(name + " maxPoolBackward", inputs, bytesOf(inputs + 2 * outputs), [&](const Runtime& runtime) {
            ++turn;
            maxPoolBackward(shape, output.at(turn), winners.data(), inputGradient.at(turn), runtime);
        });
    }

    const Bench& bench_;
    double copied_ = 0;
};

}  // namespace heml::f32::bench
