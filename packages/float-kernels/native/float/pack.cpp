#include "pack.h"

#include <cstring>

namespace heml::f32 {

namespace {

using Quad = float __attribute__((vector_size(16)));
using Lanes = int __attribute__((vector_size(16)));

inline Quad load(const float* from) {
    Quad x;
    std::memcpy(&x, from, sizeof x);
    return x;
}
inline void store(float* to, Quad x) { std::memcpy(to, &x, sizeof x); }

#if defined(__clang__)
#define HEML_MIX(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define HEML_MIX(a, b, i, j, k, l) __builtin_shuffle(a, b, Lanes{i, j, k, l})
#endif

// Four rows of four, transposed.
inline void transposeQuad(float* to, size_t width, const float* from, size_t stride) {
    const Quad a = load(from), b = load(from + stride), c = load(from + 2 * stride), d = load(from + 3 * stride);
    const Quad abLow = HEML_MIX(a, b, 0, 4, 1, 5), abHigh = HEML_MIX(a, b, 2, 6, 3, 7);
    const Quad cdLow = HEML_MIX(c, d, 0, 4, 1, 5), cdHigh = HEML_MIX(c, d, 2, 6, 3, 7);
    store(to, HEML_MIX(abLow, cdLow, 0, 1, 4, 5));
    store(to + width, HEML_MIX(abLow, cdLow, 2, 3, 6, 7));
    store(to + 2 * width, HEML_MIX(abHigh, cdHigh, 0, 1, 4, 5));
    store(to + 3 * width, HEML_MIX(abHigh, cdHigh, 2, 3, 6, 7));
}

#undef HEML_MIX

void packTransposed(float* to, size_t width, const float* from, size_t stride, size_t rows, size_t terms) {
    size_t r = 0;
    for (; r + 4 <= rows; r += 4) {
        const float* row = from + r * stride;
        size_t k = 0;
        for (; k + 4 <= terms; k += 4) transposeQuad(to + k * width + r, width, row + k, stride);
        for (; k < terms; ++k) {
            for (size_t i = 0; i < 4; ++i) to[k * width + r + i] = row[i * stride + k];
        }
    }
    for (; r < rows; ++r) {
        for (size_t k = 0; k < terms; ++k) to[k * width + r] = from[r * stride + k];
    }
}

}  // namespace

void packPanel(float* to, size_t width, const MatrixView& from, size_t first, size_t rows, size_t begin, size_t end) {
    const float* corner = from.data + first * from.rowStride + begin * from.termStride;
    const size_t terms = end - begin;
    if (from.rowStride == 1) {
        for (size_t k = 0; k < terms; ++k) std::memcpy(to + k * width, corner + k * from.termStride, rows * sizeof(float));
    } else {
        packTransposed(to, width, corner, from.rowStride, rows, terms);
    }
    if (rows == width) return;
    for (size_t k = 0; k < terms; ++k) std::memset(to + k * width + rows, 0, (width - rows) * sizeof(float));
}

}  // namespace heml::f32
