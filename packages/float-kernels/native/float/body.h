// The inner loops, written once over a vector type and compiled once per instruction set. The including file defines, in an
// unnamed namespace, a struct Vec with: T, WIDTH, ROWS (of a tile), DOT_ROWS, DOT_TERMS, and the functions used below; its
// `fold` adds lane i and lane i + half until one is left.
// Everything here has internal linkage and calls no function template of the standard library, so that no copy compiled
// with one set of flags is linked where another is wanted.

#include <utility>

#include "kernels.h"

namespace heml::f32 {

namespace {

using T = Vec::T;
constexpr size_t WIDTH = Vec::WIDTH;
constexpr size_t TILE_VECTORS = 2;   // with Vec::ROWS rows this fills the registers

template <class N>
inline N least(N a, N b) {
    return b < a ? b : a;
}

// ---- product -------------------------------------------------------------------------------------------------------

template <size_t R, size_t V>
void productTile(size_t terms, const float* a, const float* b, const size_t* offsets, float* panel, size_t stride, bool add) {
    T sums[R][V];
#pragma GCC unroll 16
    for (size_t r = 0; r < R; ++r) {
#pragma GCC unroll 8
        for (size_t v = 0; v < V; ++v) sums[r][v] = Vec::zero();
    }
    for (size_t k = 0; k < terms; ++k, a += R) {
        const float* from = b + offsets[k];
        T values[V];
#pragma GCC unroll 8
        for (size_t v = 0; v < V; ++v) values[v] = Vec::load(from + v * WIDTH);
#pragma GCC unroll 16
        for (size_t r = 0; r < R; ++r) {
            const T factor = Vec::broadcast(a[r]);
#pragma GCC unroll 8
            for (size_t v = 0; v < V; ++v) sums[r][v] = Vec::multiplyAdd(factor, values[v], sums[r][v]);
        }
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < R; ++r) {
#pragma GCC unroll 8
        for (size_t v = 0; v < V; ++v) {
            float* to = panel + r * stride + v * WIDTH;
            Vec::store(to, add ? Vec::add(Vec::load(to), sums[r][v]) : sums[r][v]);
        }
    }
}

// Vectors of the widest tile: a sum depends on the one before it, so few rows need many columns to hide the latency.
constexpr size_t widestTile(size_t rows) { return rows == 1 ? 8 : rows == 2 ? 4 : TILE_VECTORS; }

template <size_t R, size_t V>
void productColumns(const ProductJob& job, size_t p) {
    size_t k = 0;
    do {   // once at least: no terms give zeros
        const size_t count = least(BLOCK, job.terms - k);
        productTile<R, V>(count, job.a + k * R, job.b + p, job.offsets + k, job.panel + p, job.stride, k != 0);
        k += count;
    } while (k < job.terms);
}

template <size_t R>
void productRows(const ProductJob& job) {
    constexpr size_t WIDEST = widestTile(R);
    size_t p = 0;
    for (; p + (WIDEST - 1) * WIDTH < job.positions; p += WIDEST * WIDTH) productColumns<R, WIDEST>(job, p);
    if constexpr (WIDEST > TILE_VECTORS) {
        for (; p + WIDTH < job.positions; p += TILE_VECTORS * WIDTH) productColumns<R, TILE_VECTORS>(job, p);
    }
    for (; p < job.positions; p += WIDTH) productColumns<R, 1>(job, p);
}

template <size_t... R>
void productOf(const ProductJob& job, std::index_sequence<R...>) {
    static constexpr void (*table[])(const ProductJob&) = {productRows<R + 1>...};
    table[job.rows - 1](job);
}

void product(const ProductJob& job) { productOf(job, std::make_index_sequence<Vec::ROWS>()); }

// ---- moving rows ---------------------------------------------------------------------------------------------------

// fn(vector) of each element of a row; `from` may equal `to`.
template <class Fn>
inline void mapRow(float* to, const float* from, size_t count, Fn fn) {
    size_t j = 0;
    for (; j + WIDTH <= count; j += WIDTH) Vec::store(to + j, fn(Vec::load(from + j), j));
    if (j < count) Vec::storePart(to + j, count - j, fn(Vec::loadPart(from + j, count - j), j));
}

inline T rowAt(const float* row, size_t j, size_t count) {
    return j + WIDTH <= count ? Vec::load(row + j) : Vec::loadPart(row + j, count - j);
}

void blend(const BlendJob& job) {
    const T alpha = Vec::broadcast(job.alpha);
    const T beta = Vec::broadcast(job.beta);
    for (size_t r = 0; r < job.rows; ++r) {
        const float* tile = job.tile + r * job.tileStride;
        float* c = job.c + r * job.cStride;
        if (job.beta == 0) {   // c may hold anything, NaN included
            mapRow(c, tile, job.columns, [&](T x, size_t) { return Vec::multiply(alpha, x); });
        } else {
            mapRow(c, tile, job.columns, [&](T x, size_t j) {
                return Vec::add(Vec::multiply(alpha, x), Vec::multiply(beta, rowAt(c, j, job.columns)));
            });
        }
    }
}

void fillRow(const PlaneJob& job, const float* source, ptrdiff_t first, float* to) {
    // columns [begin, end) of the row lie inside the image
    const auto step = static_cast<ptrdiff_t>(job.strideX);
    const auto columns = static_cast<ptrdiff_t>(job.columns);
    const auto width = static_cast<ptrdiff_t>(job.width);
    const ptrdiff_t begin = first >= 0 ? 0 : least(columns, (-first + step - 1) / step);
    const ptrdiff_t inside = first >= width ? 0 : least(columns, (width - first + step - 1) / step);
    const ptrdiff_t end = inside > begin ? inside : begin;
    for (ptrdiff_t x = 0; x < begin; ++x) to[x] = 0;
    if (begin < end) {
        const float* from = source + (first + begin * step);
        if (step == 1) {
            mapRow(to + begin, from, static_cast<size_t>(end - begin), [](T x, size_t) { return x; });
        } else {
            for (ptrdiff_t x = 0; x < end - begin; ++x) to[begin + x] = from[x * step];
        }
    }
    for (ptrdiff_t x = end; x < columns; ++x) to[x] = 0;
}

void fillPlanes(const PlaneJob& job) {
    float* to = job.planes;
    for (size_t channel = 0; channel < job.channels; ++channel) {
        const float* image = job.source + channel * job.height * job.width;
        for (size_t py = 0; py < job.phasesY; ++py) {
            for (size_t px = 0; px < job.phasesX; ++px) {
                for (size_t q = 0; q < job.rows; ++q, to += job.columns) {
                    const ptrdiff_t y = job.originY + static_cast<ptrdiff_t>(q * job.strideY + py);
                    if (y < 0 || y >= static_cast<ptrdiff_t>(job.height)) {
                        for (size_t x = 0; x < job.columns; ++x) to[x] = 0;
                    } else {
                        fillRow(job, image + static_cast<size_t>(y) * job.width, job.originX + static_cast<ptrdiff_t>(px), to);
                    }
                }
            }
        }
    }
}

void storeRows(const StoreJob& job) {
    for (size_t r = 0; r < job.rows; ++r) {
        const T bias = Vec::broadcast(job.bias ? job.bias[r] : 0.0f);
        for (size_t y = 0; y < job.height; ++y) {
            const float* from = job.panel + r * job.stride + y * job.width;
            float* to = job.target + r * job.channelStride + y * job.rowStride;
            if (job.columnStride != 1) {
                const float add = job.bias ? job.bias[r] : 0.0f;
                for (size_t x = 0; x < job.columns; ++x) to[x * job.columnStride] = from[x] + add;
            } else {
                mapRow(to, from, job.columns, [&](T x, size_t) { return Vec::add(x, bias); });
            }
        }
    }
}

// ---- dots ----------------------------------------------------------------------------------------------------------

constexpr size_t PARTS = LANES / WIDTH;   // vectors that make up the lanes of one dot product

// Lane i + lane i + half, until one is left.
template <size_t N>
inline float fold(const T (&sums)[N]) {
    if constexpr (N == 1) {
        return Vec::fold(sums[0]);
    } else if constexpr (N == 2) {
        return Vec::fold(Vec::add(sums[0], sums[1]));
    } else {
        static_assert(N == 4);
        return Vec::fold(Vec::add(Vec::add(sums[0], sums[2]), Vec::add(sums[1], sums[3])));
    }
}

template <size_t R, size_t K>
void dotTile(const DotsJob& job, size_t row, size_t term) {
    T sums[R][K][PARTS];
#pragma GCC unroll 8
    for (size_t r = 0; r < R; ++r) {
#pragma GCC unroll 8
        for (size_t k = 0; k < K; ++k) {
#pragma GCC unroll 4
            for (size_t part = 0; part < PARTS; ++part) sums[r][k][part] = Vec::zero();
        }
    }
    const size_t* offsets = job.offsets + term;
    for (size_t item = 0; item < job.items; ++item) {
        const float* a = job.a + item * job.aItem + row * job.positions;
        const float* b = job.b + item * job.bItem;
        for (size_t p = 0; p < job.positions; p += LANES) {
#pragma GCC unroll 4
            for (size_t part = 0; part < PARTS; ++part) {
                const size_t at = p + part * WIDTH;
                T left[R];
#pragma GCC unroll 8
                for (size_t r = 0; r < R; ++r) left[r] = Vec::load(a + r * job.positions + at);
#pragma GCC unroll 8
                for (size_t k = 0; k < K; ++k) {
                    const T right = Vec::load(b + offsets[k] + at);
#pragma GCC unroll 8
                    for (size_t r = 0; r < R; ++r) sums[r][k][part] = Vec::multiplyAdd(left[r], right, sums[r][k][part]);
                }
            }
        }
    }
    for (size_t r = 0; r < R; ++r) {
        for (size_t k = 0; k < K; ++k) job.sums[(row + r) * job.stride + term + k] += fold(sums[r][k]);
    }
}

template <size_t R>
void dotRows(const DotsJob& job, size_t row) {
    size_t term = 0;
    for (; term + Vec::DOT_TERMS <= job.terms; term += Vec::DOT_TERMS) dotTile<R, Vec::DOT_TERMS>(job, row, term);
    for (; term < job.terms; ++term) dotTile<R, 1>(job, row, term);
}

template <size_t... R>
void dotsOf(const DotsJob& job, std::index_sequence<R...>) {
    static constexpr void (*table[])(const DotsJob&, size_t) = {dotRows<R + 1>...};
    // as few groups of rows as possible, of nearly the same size
    const size_t groups = (job.rows + Vec::DOT_ROWS - 1) / Vec::DOT_ROWS;
    for (size_t i = 0; i < groups; ++i) {
        const size_t begin = i * job.rows / groups, end = (i + 1) * job.rows / groups;
        table[end - begin - 1](job, begin);
    }
}

void dots(const DotsJob& job) { dotsOf(job, std::make_index_sequence<Vec::DOT_ROWS>()); }

Kernels tableOf(const char* name, const Loops& loops) {
    return {name, Vec::ROWS, TILE_VECTORS * WIDTH, product, blend, fillPlanes, storeRows, dots, &loops};
}

}  // namespace

}  // namespace heml::f32
