// Weights times limbs, as a matrix product: the throughput path.
// Four targets by two lines make sixteen multiply-adds for two loads and four broadcasts, with all sums
// in registers. A block of coefficients of all sources is copied first, an odd number of lines apart: limbs
// lie a power of two apart, so the same line of many limbs would fight for one cache set.

#include "accumulator.h"
#include "ifma.h"

namespace heml::kernel::ifma {

namespace {

inline constexpr std::size_t TILE_LINES = 2;
inline constexpr std::size_t TILE = TILE_LINES * LINE_WORDS;
inline constexpr std::size_t BUFFER_WORDS = std::size_t{1} << 15;  // 256 KiB, a quarter of L2

/// ROWS targets at [i, i + TILE): column c's entries are at sources + c * stride. A last line
/// alone is computed as a tile (its second half is stale) and stored as a line.
template <std::size_t ROWS>
HEML_INLINE void matrixTile(const MatrixJob& job, std::size_t row, std::size_t i, std::size_t lines, const Word* sources,
                            std::size_t stride, const Folding& folding) {
    Accumulator sums[ROWS][TILE_LINES];
#pragma GCC unroll 4
    for (std::size_t r = 0; r < ROWS; ++r) {
#pragma GCC unroll 2
        for (std::size_t k = 0; k < TILE_LINES; ++k) sums[r][k].clear();
    }
    const Word* weights = job.weights + row * job.weightStride;
    for (std::size_t start = 0; start < job.columns; start += FOLD_EVERY) {
        const std::size_t stop = job.columns - start < FOLD_EVERY ? job.columns : start + FOLD_EVERY;
        for (std::size_t column = start; column < stop; ++column) {
            const Vec source[TILE_LINES] = {load(sources + column * stride), load(sources + column * stride + LINE_WORDS)};
#pragma GCC unroll 4
            for (std::size_t r = 0; r < ROWS; ++r) {
                const Vec weight = broadcast(weights[r * job.weightStride + column]);
#pragma GCC unroll 2
                for (std::size_t k = 0; k < TILE_LINES; ++k) sums[r][k].multiplyAdd(source[k], weight);
            }
        }
#pragma GCC unroll 4
        for (std::size_t r = 0; r < ROWS; ++r) {
#pragma GCC unroll 2
            for (std::size_t k = 0; k < TILE_LINES; ++k) sums[r][k].fold(folding);
        }
    }
#pragma GCC unroll 4
    for (std::size_t r = 0; r < ROWS; ++r) {
#pragma GCC unroll 2
        for (std::size_t k = 0; k < TILE_LINES; ++k) {
            if (k >= lines) break;  // constant indices keep the sums in registers
            Word* target = job.targets[row + r] + i + k * LINE_WORDS;
            const Vec sum = sums[r][k].low;
            store(target, job.accumulate ? subtractOnce(add64(sum, load(target)), folding.prime.p) : sum);
        }
    }
}

/// The entries [begin, end) of every source.
HEML_INLINE void gatherBlock(Word* buffer, std::size_t stride, const MatrixJob& job, std::size_t begin, std::size_t end) {
    for (std::size_t column = 0; column < job.columns; ++column, buffer += stride) {
        const Word* source = job.sources[column];
        for (std::size_t i = begin; i < end; i += LINE_WORDS) store(buffer + (i - begin), load(source + i));
    }
}

template <std::size_t ROWS>
HEML_INLINE void matrixRows(const MatrixJob& job, std::size_t row, std::size_t begin, std::size_t end, const Word* buffer,
                            std::size_t stride, const Folding& folding) {
    for (std::size_t i = begin; i < end; i += TILE) {
        const std::size_t lines = end - i < TILE ? 1 : TILE_LINES;
        matrixTile<ROWS>(job, row, i, lines, buffer + (i - begin), stride, folding);
    }
}

}  // namespace

void matrixProduct(const MatrixJob& job, const Modulus& m) {
    const Folding folding(m);
    const std::size_t fitting = BUFFER_WORDS / (job.columns + 1) / TILE * TILE;
    const std::size_t block = fitting < TILE ? TILE : fitting;
    const std::size_t stride = block + LINE_WORDS;
    const AlignedArray<Word> buffer = makeAlignedArray<Word>(stride * job.columns);
    for (std::size_t i = 0; i < stride * job.columns; i += LINE_WORDS) store(buffer.get() + i, zero());
    for (std::size_t begin = job.begin; begin < job.end; begin += block) {
        const std::size_t end = job.end - begin < block ? job.end : begin + block;
        gatherBlock(buffer.get(), stride, job, begin, end);
        std::size_t row = 0;
        for (; row + 4 <= job.rows; row += 4) matrixRows<4>(job, row, begin, end, buffer.get(), stride, folding);
        for (; row < job.rows; ++row) matrixRows<1>(job, row, begin, end, buffer.get(), stride, folding);
    }
}

}  // namespace heml::kernel::ifma
