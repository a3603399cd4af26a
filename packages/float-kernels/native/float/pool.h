// Pooling over square windows without padding. Inputs are [planes, height, width], results [planes, rows, columns]; windows
// go in ascending order within a plane, threads share out planes. Outputs are overwritten and overlap nothing else.
#pragma once

#include "gemm.h"

namespace heml::f32 {

struct PoolShape {
    size_t planes, height, width, kernel, stride;

    size_t rows() const { return (height - kernel) / stride + 1; }
    size_t columns() const { return (width - kernel) / stride + 1; }
    size_t plane() const { return height * width; }
    size_t results() const { return rows() * columns(); }   // of a plane
    size_t inputSize() const;
    size_t outputSize() const;

    // Throws InvalidArgumentError: a size of 0, a kernel larger than the plane, more inputs than 32 bits can number.
    void check() const;
    // Windows of 2 x 2 side by side, the case that has loops of its own.
    bool pairs() const { return kernel == 2 && stride == 2; }
};

// Means: rows ascending, columns ascending, summed in double from 0, divided by kernel^2, rounded once.
void averagePool(const PoolShape& shape, const float* input, float* output, const Runtime& runtime);

// Every value of a window gets outputGradient / kernel^2, rounded after each addition.
void averagePoolBackward(const PoolShape& shape, const float* outputGradient, float* inputGradient, const Runtime& runtime);

// Largest values, of equal ones the first; winners are indices in the whole input. A NaN wins only in the first place.
void maxPool(const PoolShape& shape, const float* input, float* output, uint32_t* winners, const Runtime& runtime);

// Winners get their results' gradients, in ascending order of the results, rounded after each addition. Throws
// InvalidArgumentError for a winner that is no index of the input; inputGradient then holds anything.
void maxPoolBackward(const PoolShape& shape, const float* outputGradient, const uint32_t* winners, float* inputGradient,
                     const Runtime& runtime);

}  // namespace heml::f32
