// Spiking neurons over time. A step charges the membrane, v = charge(u, x), rounds it to a grid if there is one, fires where
// v >= threshold (rounded to f32), and resets, u = reset(v, s). Membranes start at 0.
//
// A tile of neurons goes through all time steps before the next begins, so its membrane stays in cache; threads share out
// tiles. Arrays are [timeSteps, size], inputs [inputSteps, size]; outputs are overwritten and overlap nothing else.
#pragma once

#include <optional>

#include "gemm.h"
#include "program.h"

namespace heml::f32 {

struct NeuronModel {
    Program charge;                  // inputs u, x
    Program reset;                   // inputs v, s
    double threshold;
    std::optional<Grid> grid;
    size_t timeSteps;
    size_t inputSteps;               // 1: the same input at every step; else timeSteps
    size_t size;

    size_t steps() const;            // timeSteps * size
    size_t inputs() const;           // inputSteps * size

    // Throws InvalidArgumentError: a program that is none, a threshold or grid that is no number, no time step, inputSteps
    // that is neither.
    void check() const;
};

struct NeuronForwardJob {
    NeuronModel model;
    const float* input;
    float* spikes;
    float* membranePotentials;       // u after every step
    float* charged;                  // v after rounding, or null
};

struct NeuronBackwardJob {
    NeuronModel model;
    Surrogate surrogate;
    bool detachReset;                // no gradient through the spike in the reset
    const float* input;
    const float* membranePotentials; // as the forward job left them
    const float* spikeGradient;      // null: zeros
    const float* membraneGradient;   // null: zeros
    float* inputGradient;            // with one input step the sum over time, ascending
    double pull = 0;                 // gradient of v per unit beyond the grid's border, where v is clipped

    // As the model's; and for a surrogate that is none, a pull that is negative or infinite.
    void check() const;
};

// Both throw InvalidArgumentError before they write, and MemoryError.
void neuronsForward(const NeuronForwardJob& job, const Runtime& runtime);
void neuronsBackward(const NeuronBackwardJob& job, const Runtime& runtime);

}  // namespace heml::f32
