// The inner loops of the f32 library, one table per instruction set. Everything above them is plain C++.
//
// What makes results repeatable: an element of `product` is summed over k ascending, in blocks of BLOCK terms that start at
// zero, blocks added in ascending order. That order knows nothing of tiles, vector widths or threads. `dots` sums position
// p into lane p mod LANES, then folds the lanes in halves. avx2 and avx512 fuse each multiply-add and agree bit for bit;
// scalar rounds the product first.
#pragma once

#include <cstddef>

#include "loops.h"

namespace heml::f32 {

constexpr size_t BLOCK = 256;   // terms of one running sum
constexpr size_t LANES = 16;    // running sums of one dot product, whatever the vector width
constexpr size_t SLACK = 32;    // floats that may be read (never used) behind the last row of a `product` or `dots` operand

// panel[r][p] = sum_k a[k * rows + r] * b[offsets[k] + p] for p below `positions`, rounded up to the kernel's lanes.
struct ProductJob {
    size_t rows;                // 1 .. Kernels::rows
    size_t terms;
    size_t positions;
    const float* a;
    const float* b;
    const size_t* offsets;
    float* panel;
    size_t stride;              // between rows of the panel; at least `positions` rounded up to the kernel's lanes
};

// c = alpha * tile + beta * c where beta != 0, else c = alpha * tile; product and sum rounded separately.
struct BlendJob {
    size_t rows, columns;
    const float* tile;
    size_t tileStride;
    float* c;
    size_t cStride;
    float alpha, beta;
};

// Copies a window of one image into planes[channel][phaseY][phaseX][rows][columns], zero where the window lies outside.
// Plane (py, px), row q, column x holds source row originY + q * strideY + py, column originX + x * strideX + px.
struct PlaneJob {
    const float* source;
    size_t channels, height, width;
    ptrdiff_t originY, originX;
    size_t strideY, strideX;
    size_t phasesY, phasesX;
    size_t rows, columns;
    float* planes;
};

// target[r * channelStride + y * rowStride + x * columnStride] = panel[r][y * width + x] (+ bias[r]).
struct StoreJob {
    size_t rows, height, columns;
    const float* panel;
    size_t stride, width;
    const float* bias;          // null: none
    float* target;
    size_t channelStride, rowStride, columnStride;
};

// sums[r * stride + k] += over items i, positions p: a[i * aItem + r * positions + p] * b[i * bItem + offsets[k] + p].
struct DotsJob {
    size_t rows, terms;
    size_t items, positions;    // positions: a multiple of LANES
    const float* a;
    size_t aItem;
    const float* b;
    size_t bItem;
    const size_t* offsets;
    float* sums;
    size_t stride;
};

struct Kernels {
    const char* name;
    size_t rows;                // of a tile at most
    size_t columns;             // of a tile
    void (*product)(const ProductJob&);
    void (*blend)(const BlendJob&);
    void (*fillPlanes)(const PlaneJob&);
    void (*storeRows)(const StoreJob&);
    void (*dots)(const DotsJob&);
    const Loops* loops;         // neurons, normalisation, pooling
};

struct KernelList {
    const Kernels* const* first;
    size_t count;
    const Kernels* const* begin() const { return first; }
    const Kernels* const* end() const { return first + count; }
};

// Slowest first. Those of this build that this processor runs.
KernelList supportedKernels();
// Null when there is none of that name.
const Kernels* findKernels(const char* name);

const Kernels& scalarKernels();
const Kernels& avx2Kernels();     // only with HE_ML_FLOAT_AVX2
const Kernels& avx512Kernels();   // only with HE_ML_FLOAT_AVX512

}  // namespace heml::f32
