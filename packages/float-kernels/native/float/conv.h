// Two-dimensional convolution as networks mean it (cross-correlation), NCHW, zero padding, groups; forward and both gradients.
//
// No im2col: a band of one image is copied once into zero-padded planes, one plane per phase of the stride. There the value
// that kernel tap k needs for output position p = y * planeWidth + x lies at offset(k) + p, for every k. So a convolution is
// a matrix product whose row k of B is a shifted view of one small buffer; columns between the rows of the output are
// computed and thrown away.
//
// Outputs are overwritten. Every function may throw InvalidArgumentError (shape) before it writes, and MemoryError.
#pragma once

#include <array>
#include <cstddef>

#include "gemm.h"

namespace heml::f32 {

// Pairs are (vertical, horizontal).
struct ConvShape {
    size_t batch, inChannels, height, width, outChannels;
    std::array<size_t, 2> kernel, stride, padding;
    size_t groups;

    // Throws InvalidArgumentError: a zero, groups that do not divide the channels, a kernel larger than the padded image.
    void check() const;

    size_t outHeight() const { return (height + 2 * padding[0] - kernel[0]) / stride[0] + 1; }
    size_t outWidth() const { return (width + 2 * padding[1] - kernel[1]) / stride[1] + 1; }
    size_t groupIn() const { return inChannels / groups; }
    size_t groupOut() const { return outChannels / groups; }
    size_t taps() const { return kernel[0] * kernel[1]; }
    size_t inputSize() const;    // batch * inChannels * height * width
    size_t outputSize() const;   // batch * outChannels * outHeight * outWidth
    size_t weightSize() const;   // outChannels * groupIn * kernel
};

// output = input * weight + bias (null: none). Each element is summed over (channel, ky, kx) ascending in blocks of BLOCK,
// the bias added last.
void convForward(const ConvShape& shape, const float* input, const float* weight, const float* bias, float* output,
                 const Runtime& runtime);

// inputGradient from outputGradient. Each element is summed over (outChannel, then ky and kx of its phase) ascending in
// blocks of BLOCK.
void convBackwardInput(const ConvShape& shape, const float* outputGradient, const float* weight, float* inputGradient,
                       const Runtime& runtime);

// weightGradient and, unless null, biasGradient. Items (bands of images) are grouped into chunks and chunks into slices by
// the shape alone. Within a chunk 16 running sums take the positions of every item in turn and are folded in halves; chunks
// are added in ascending order within a slice, then slices in ascending order.
void convBackwardWeight(const ConvShape& shape, const float* input, const float* outputGradient, float* weightGradient,
                        float* biasGradient, const Runtime& runtime);

}  // namespace heml::f32
