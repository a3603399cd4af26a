// Rearranging operands for the product kernel.
#pragma once

#include <cstddef>

namespace heml::f32 {

// Seen as a matrix: element (i, k) of `data` lies at i * rowStride + k * termStride; one of the strides is 1.
struct MatrixView {
    const float* data;
    size_t rowStride, termStride;
};

// to[k * width + r] = element (first + r, k) for r < rows and k in [begin, end); zero for r in [rows, width).
void packPanel(float* to, size_t width, const MatrixView& from, size_t first, size_t rows, size_t begin, size_t end);

}  // namespace heml::f32
