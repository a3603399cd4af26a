// Naive loops for neurons, channels and pools, one value at a time, straight from the definitions in the headers.
#pragma once

#include <algorithm>
#include <cmath>
#include <tuple>

#include "float-helpers.h"
#include "float/channels.h"
#include "float/neurons.h"
#include "float/pool.h"

namespace heml::test {

// One value through a program, and back.
struct NaiveProgram {
    const Program& program;

    std::vector<float> registers(float x, float y) const {
        std::vector<float> r{x, y};
        for (const auto& [operation, a, b, constant] : program.instructions) {
            switch (operation) {
                case Operation::Add:
                    r.push_back(r[a] + r[b]);
                    break;
                case Operation::Sub:
                    r.push_back(r[a] - r[b]);
                    break;
                case Operation::Mul:
                    r.push_back(r[a] * r[b]);
                    break;
                case Operation::Square:
                    r.push_back(r[a] * r[a]);
                    break;
                case Operation::Scale:
                    r.push_back(r[a] * constant);
                    break;
                case Operation::AddConstant:
                    r.push_back(r[a] + constant);
                    break;
            }
        }
        return r;
    }
    float forward(float x, float y) const { return registers(x, y)[program.output]; }

    // Gradients of x and y.
    std::pair<float, float> backward(float x, float y, float gradient) const {
        const auto r = registers(x, y);
        std::vector<float> adjoint(r.size(), 0.0f);
        std::vector<bool> reached(r.size(), false);
        adjoint[program.output] = gradient;
        reached[program.output] = true;
        const auto add = [&](uint32_t reg, float g, float factor) {
            const double product = static_cast<double>(g) * static_cast<double>(factor);
            adjoint[reg] = static_cast<float>(reached[reg] ? static_cast<double>(adjoint[reg]) + product : product);
            reached[reg] = true;
        };
        for (size_t k = program.instructions.size(); k-- > 0;) {
            const auto& [operation, a, b, constant] = program.instructions[k];
            if (!reached[2 + k]) continue;
            const float g = adjoint[2 + k];
            switch (operation) {
                case Operation::Add:
                    add(a, g, 1), add(b, g, 1);
                    break;
                case Operation::Sub:
                    add(a, g, 1), add(b, g, -1);
                    break;
                case Operation::Mul:
                    add(a, g, r[b]), add(b, g, r[a]);
                    break;
                case Operation::Square:
                    add(a, g, r[a]), add(a, g, r[a]);
                    break;
                case Operation::Scale:
                    add(a, g, constant);
                    break;
                case Operation::AddConstant:
                    add(a, g, 1);
                    break;
            }
        }
        return {adjoint[0], adjoint[1]};
    }
};

inline float naiveGrid(const NeuronModel& model, float v) {
    if (!model.grid) return v;
    const auto& [step, count] = *model.grid;
    if (std::isnan(v)) return v;
    const double index = std::floor(static_cast<double>(v) / step + (0.5 + 0x1p-10));
    return static_cast<float>(std::min(count / 2 - 1, std::max(-count / 2, index)) * step);
}

inline float naiveSlope(const Surrogate& surrogate, double z) {
    const auto& [kind, width, height] = surrogate;
    const double r = std::fabs(z) / width;
    if (kind == SurrogateKind::Rectangle) return static_cast<float>(std::fabs(z) <= width ? height : 0);
    return static_cast<float>(kind == SurrogateKind::FastSigmoid ? height / ((1 + r) * (1 + r)) : height / (1 + r * r));
}

struct NeuronResults {
    std::vector<float> spikes, membranes, charged, inputGradient;
};

struct NeuronGradients {
    Surrogate surrogate;
    bool detachReset;
    std::vector<float> spike, membrane;   // empty: none
    double pull = 0;
};

inline NeuronResults naiveNeurons(const NeuronModel& model, const std::vector<float>& input, const NeuronGradients& from) {
    const size_t steps = model.steps(), size = model.size;
    NeuronResults out{std::vector<float>(steps), std::vector<float>(steps), std::vector<float>(steps),
                      std::vector<float>(model.inputs())};
    const NaiveProgram charge{model.charge}, reset{model.reset};
    const auto level = static_cast<float>(model.threshold);
    for (size_t i = 0; i < size; ++i) {
        const auto x = [&](size_t t) { return input[(model.inputSteps == 1 ? 0 : t) * size + i]; };
        const auto before = [&](size_t t) { return t == 0 ? 0.0f : out.membranes[(t - 1) * size + i]; };
        for (size_t t = 0; t < model.timeSteps; ++t) {
            const float v = naiveGrid(model, charge.forward(before(t), x(t))), s = v >= level ? 1.0f : 0.0f;
            out.charged[t * size + i] = v;
            out.spikes[t * size + i] = s;
            out.membranes[t * size + i] = reset.forward(v, s);
        }
        float carried = 0;
        std::vector<float> perStep(model.timeSteps);
        for (size_t t = model.timeSteps; t-- > 0;) {
            if (!from.membrane.empty()) carried += from.membrane[t * size + i];
            const float exact = charge.forward(before(t), x(t)), v = naiveGrid(model, exact);
            auto [total, through] = reset.backward(v, v >= level ? 1.0f : 0.0f, carried);
            const double direct = from.spike.empty() ? 0 : from.spike[t * size + i];
            const double slope = naiveSlope(from.surrogate, static_cast<double>(v) - model.threshold);
            const double spike = (from.detachReset ? 0.0 : static_cast<double>(through)) + direct;
            total = static_cast<float>(static_cast<double>(total) + spike * slope);
            if (model.grid) {
                const auto& [step, count] = *model.grid;
                const double low = -count / 2 * step, high = (count / 2 - 1) * step;
                const double border = exact < low - step / 2 ? low - step / 2 : high + step / 2;
                if (!(exact >= low - step / 2 && exact < high + step / 2))
                    total = from.pull == 0 ? 0 : static_cast<float>(from.pull * (static_cast<double>(exact) - border));
            }
            std::tie(carried, perStep[t]) = charge.backward(before(t), x(t), total);
        }
        if (model.inputSteps == model.timeSteps) {
            for (size_t t = 0; t < model.timeSteps; ++t) out.inputGradient[t * size + i] = perStep[t];
        } else {
            for (const float g : perStep) out.inputGradient[i] += g;
        }
    }
    return out;
}

// Sum of term(p) over one image's positions, in eight lanes.
template <class Term>
double naiveLanes(size_t positions, const Term& term) {
    double lanes[8] = {};
    for (size_t p = 0; p < positions; ++p) lanes[p % 8] += term(p);
    for (const size_t half : {4u, 2u, 1u}) {
        for (size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    }
    return lanes[0];
}

}  // namespace heml::test
