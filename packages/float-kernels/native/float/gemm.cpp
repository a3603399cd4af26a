// Blocked and packed after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008): a block of B
// and one of A are packed into panels as wide as a tile, by all threads; then tiles are shared out in small rectangles.
#include "gemm.h"

#include <array>

#include "pack.h"
#include "scratch.h"

namespace heml::f32 {

namespace {

constexpr size_t BLOCK_ROWS = 4096;     // of A packed at once: 4 MB
constexpr size_t BLOCK_COLUMNS = 4096;  // of B
constexpr size_t UNIT_ROWS = 8;         // panels of A that one task multiplies ...
constexpr size_t UNIT_COLUMNS = 2;      // ... with so many panels of B
constexpr size_t SERIAL = size_t{1} << 16;   // multiply-adds below which waking a thread costs more than it gives
constexpr size_t MOST_TILE = 12 * 32;

// One block: rows [i0, ..) of A, columns [j0, ..) of B, terms [k0, k1).
struct Block {
    const GemmJob& job;
    const Kernels& kernels;
    size_t i0, j0, k0, k1;
    Blocks rows;
    Strips columns;
    float* packedA;
    float* packedB;

    size_t terms() const { return k1 - k0; }

    void packA(size_t panel) const {
        const MatrixView view = job.transposeA ? MatrixView{job.a, 1, job.m} : MatrixView{job.a, job.k, 1};
        const size_t first = rows.begin(panel), count = rows.size(panel);
        packPanel(packedA + first * terms(), count, view, i0 + first, count, k0, k1);
    }

    void packB(size_t panel) const {
        const MatrixView view = job.transposeB ? MatrixView{job.b, job.k, 1} : MatrixView{job.b, 1, job.n};
        const size_t first = columns.begin(panel);
        packPanel(packedB + panel * kernels.columns * terms(), kernels.columns, view, j0 + first, columns.size(panel), k0, k1);
    }

    void multiply(size_t row, size_t column, const size_t* offsets) const {
        alignas(64) float tile[MOST_TILE];
        const size_t first = rows.begin(row);
        kernels.product({rows.size(row), terms(), columns.size(column), packedA + first * terms(),
                         packedB + column * kernels.columns * terms(), offsets, tile, kernels.columns});
        kernels.blend({rows.size(row), columns.size(column), tile, kernels.columns,
                       job.c + (i0 + first) * job.n + j0 + columns.begin(column), job.n, job.alpha, k0 == 0 ? job.beta : 1.0f});
    }
};

void packAll(const Block& block, bool withB, Executor& executor) {
    const size_t panelsB = withB ? block.columns.count() : 0;
    executor.parallelFor(panelsB + block.rows.count(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            if (i < panelsB) {
                block.packB(i);
            } else {
                block.packA(i - panelsB);
            }
        }
    });
}

void multiplyAll(const Block& block, Executor& executor) {
    std::array<size_t, BLOCK> offsets;
    for (size_t k = 0; k < BLOCK; ++k) offsets[k] = k * block.kernels.columns;
    const Blocks down(block.rows.count(), UNIT_ROWS), across(block.columns.count(), UNIT_COLUMNS);
    executor.parallelFor(down.count() * across.count(), [&](size_t begin, size_t end) {
        for (size_t unit = begin; unit < end; ++unit) {
            const size_t i = unit % down.count(), j = unit / down.count();
            for (size_t column = across.begin(j); column < across.begin(j + 1); ++column) {
                for (size_t row = down.begin(i); row < down.begin(i + 1); ++row) block.multiply(row, column, offsets.data());
            }
        }
    });
}

void scaleOnly(const GemmJob& job, const Kernels& kernels) {
    const float nothing = 0;
    for (size_t i = 0; i < job.m; ++i) {
        for (size_t j = 0; j < job.n; ++j) kernels.blend({1, 1, &nothing, 1, job.c + i * job.n + j, 1, 1, job.beta});
    }
}

}  // namespace

void gemm(const GemmJob& job, const Runtime& runtime) {
    if (job.m == 0 || job.n == 0) return;
    if (job.k == 0) return scaleOnly(job, runtime.kernels);
    SerialExecutor serial;
    const bool small = job.m * job.n <= SERIAL / job.k;
    Executor& executor = small ? static_cast<Executor&>(serial) : runtime.executor;
    const size_t width = runtime.kernels.columns, terms = std::min(BLOCK, job.k);
    Scratch packedA(runtime.pool, std::min(BLOCK_ROWS, job.m) * terms);
    Scratch packedB(runtime.pool, roundUp(std::min(BLOCK_COLUMNS, job.n), width) * terms + SLACK);
    for (size_t j0 = 0; j0 < job.n; j0 += BLOCK_COLUMNS) {
        for (size_t k0 = 0; k0 < job.k; k0 += BLOCK) {
            for (size_t i0 = 0; i0 < job.m; i0 += BLOCK_ROWS) {
                const Block block{job,
                                  runtime.kernels,
                                  i0,
                                  j0,
                                  k0,
                                  std::min(k0 + BLOCK, job.k),
                                  Blocks(std::min(BLOCK_ROWS, job.m - i0), runtime.kernels.rows),
                                  Strips(std::min(BLOCK_COLUMNS, job.n - j0), width),
                                  packedA.data(),
                                  packedB.data()};
                packAll(block, i0 == 0, executor);
                multiplyAll(block, executor);
            }
        }
    }
}

}  // namespace heml::f32
