// Normalisation per channel. Values are [images, channels, positions].
//
// Order of sums, all in double: position p of an image goes to lane p mod 8, lanes are folded in halves, images are added in
// ascending order to a sum that starts at 0. Outputs are overwritten and overlap nothing else.
#pragma once

#include "gemm.h"
#include "loops.h"

namespace heml::f32 {

struct ChannelShape {
    size_t images, channels, positions;

    size_t size() const;
    // Throws InvalidArgumentError: a size of 0, or more values than any array holds.
    void check() const;
};

// mean = sum x / count and variance = sum (x - mean)^2 / count, count being images * positions; [channels] each.
void channelMoments(const ChannelShape& shape, const float* input, double* mean, double* variance, const Runtime& runtime);

// output = scale[c] * input + shift[c] in double, rounded once.
void scaleChannels(const ChannelShape& shape, const float* input, const float* scale, const float* shift, float* output,
                   const Runtime& runtime);

// plain = sum of gradient, weighted = sum of gradient * input; [channels] each.
void channelSums(const ChannelShape& shape, const float* gradient, const float* input, double* plain, double* weighted,
                 const Runtime& runtime);

// inputGradient = factor[c] * (gradient - average[c] - (input - centre[c]) * slope[c]) in double, rounded once.
void normalizationBackward(const ChannelShape& shape, const float* gradient, const float* input, const ChannelGradients& channels,
                           float* inputGradient, const Runtime& runtime);

}  // namespace heml::f32
