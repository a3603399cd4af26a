// Normalisation of values with one position per channel, [images, channels]: the rows of channels.h would be one value long.
// A value in lane 0, folded with empty lanes, is itself, so the sums are those of channels.h.
// Called by the functions of channels.h, which check the shape and promise the results; positions is 1.
#pragma once

#include "channels.h"

namespace heml::f32 {

void columnMoments(const ChannelShape& shape, const float* input, double* mean, double* variance, const Runtime& runtime);
void scaleColumns(const ChannelShape& shape, const float* input, const float* scale, const float* shift, float* output,
                  const Runtime& runtime);
void columnGradientSums(const ChannelShape& shape, const float* gradient, const float* input, double* plain, double* weighted,
                        const Runtime& runtime);
void normalizeColumns(const ChannelShape& shape, const float* gradient, const float* input, const ChannelGradients& channels,
                      float* inputGradient, const Runtime& runtime);

}  // namespace heml::f32
