// Inner products with keys, sums of products, and weights times limbs: (low, high) sums in registers.

#include "accumulator.h"
#include "ifma.h"
#include "operands.h"

namespace heml::kernel::ifma {

namespace {

/// How far ahead of use keys are asked for; they come from memory, in order, one stream per limb.
inline constexpr std::size_t PREFETCH_WORDS = 8 * LINE_WORDS;

template <bool PACKED>
HEML_INLINE void prefetchKey(KeyLimb limb, std::size_t i) {
  const std::size_t bytes = PACKED ? 6 : sizeof(Word);
  _mm_prefetch(static_cast<const char*>(limb) + (i + PREFETCH_WORDS) * bytes, _MM_HINT_T0);
}

template <bool PACKED, bool PERMUTED>
void innerProductLines(const InnerProductJob& job, const Modulus& m) {
  const Folding folding(m);
  const Permutation permutation(job.automorphism);
  for (std::size_t i = job.begin; i < job.end; i += LINE_WORDS) {
    Accumulator sum0, sum1;
    sum0.clear();
    sum1.clear();
    if (job.accumulate) {
      sum0.low = load(job.out0 + i);
      sum1.low = load(job.out1 + i);
    }
    Permutation::Source source{i, zero()};
    if constexpr (PERMUTED) source = permutation.at(i);
    for (std::size_t d = 0; d < job.count; ++d) {
      const Vec digit = PERMUTED ? Permutation::take(job.digits[d], source) : load(job.digits[d] + i);
      sum0.multiplyAdd(digit, loadKey<PACKED>(job.keys0[d], i));
      sum1.multiplyAdd(digit, loadKey<PACKED>(job.keys1[d], i));
      prefetchKey<PACKED>(job.keys0[d], i);
      prefetchKey<PACKED>(job.keys1[d], i);
      if ((d + 1) % FOLD_EVERY == 0) {
        sum0.fold(folding);
        sum1.fold(folding);
      }
    }
    store(job.out0 + i, sum0.reduce(folding));
    store(job.out1 + i, sum1.reduce(folding));
  }
}

/// ROWS targets, two lines: 4 ROWS multiply-adds for two loads and ROWS broadcasts.
template <std::size_t ROWS, std::size_t COUNT>
HEML_INLINE void matrixTile(const MatrixJob& job, std::size_t row, std::size_t i, const Folding& folding) {
  Accumulator sums[ROWS][COUNT];
#pragma GCC unroll 4
  for (std::size_t r = 0; r < ROWS; ++r) {
#pragma GCC unroll 2
    for (std::size_t k = 0; k < COUNT; ++k) {
      sums[r][k].clear();
      if (job.accumulate) sums[r][k].low = load(job.targets[row + r] + i + k * LINE_WORDS);
    }
  }
  const Word* weights = job.weights + row * job.weightStride;
  for (std::size_t start = 0; start < job.columns; start += FOLD_EVERY) {
    if (start != 0) {
#pragma GCC unroll 4
      for (std::size_t r = 0; r < ROWS; ++r) {
#pragma GCC unroll 2
        for (std::size_t k = 0; k < COUNT; ++k) sums[r][k].fold(folding);
      }
    }
    const std::size_t stop = job.columns - start < FOLD_EVERY ? job.columns : start + FOLD_EVERY;
    for (std::size_t column = start; column < stop; ++column) {
      Vec source[COUNT];
#pragma GCC unroll 2
      for (std::size_t k = 0; k < COUNT; ++k) source[k] = load(job.sources[column] + i + k * LINE_WORDS);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < ROWS; ++r) {
        const Vec weight = broadcast(weights[r * job.weightStride + column]);
#pragma GCC unroll 2
        for (std::size_t k = 0; k < COUNT; ++k) sums[r][k].multiplyAdd(source[k], weight);
      }
    }
  }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < ROWS; ++r) {
#pragma GCC unroll 2
    for (std::size_t k = 0; k < COUNT; ++k) store(job.targets[row + r] + i + k * LINE_WORDS, sums[r][k].reduce(folding));
  }
}

template <std::size_t ROWS>
HEML_INLINE void matrixRows(const MatrixJob& job, std::size_t row, std::size_t begin, std::size_t end,
                            const Folding& folding) {
  std::size_t i = begin;
  for (; i + 2 * LINE_WORDS <= end; i += 2 * LINE_WORDS) matrixTile<ROWS, 2>(job, row, i, folding);
  for (; i < end; i += LINE_WORDS) matrixTile<ROWS, 1>(job, row, i, folding);
}

}  // namespace

void innerProduct(const InnerProductJob& job, const Modulus& m) {
  const bool permuted = job.automorphism != nullptr;
  if (job.keysPacked) {
    permuted ? innerProductLines<true, true>(job, m) : innerProductLines<true, false>(job, m);
  } else {
    permuted ? innerProductLines<false, true>(job, m) : innerProductLines<false, false>(job, m);
  }
}

void sumProducts(const SumProductsJob& job, const Modulus& m) {
  const Folding folding(m);
  for (std::size_t i = job.begin; i < job.end; i += LINE_WORDS) {
    Accumulator sum;
    sum.clear();
    if (job.accumulate) sum.low = load(job.dst + i);
    for (std::size_t t = 0; t < job.count; ++t) {
      if (job.multipliers[t].values == nullptr) continue;
      sum.multiplyAdd(load(job.factors[t] + i), loadRepeated(job.multipliers[t], i));
      if ((t + 1) % FOLD_EVERY == 0) sum.fold(folding);
    }
    store(job.dst + i, sum.reduce(folding));
  }
}

/// Sources are walked in blocks of coefficients so that one block of all columns stays in L2.
void matrixProduct(const MatrixJob& job, const Modulus& m) {
  const Folding folding(m);
  const std::size_t fitting = (std::size_t{1} << 15) / (job.columns + 1) / LINE_WORDS * LINE_WORDS;
  const std::size_t block = fitting < 4 * LINE_WORDS ? 4 * LINE_WORDS : fitting;
  for (std::size_t begin = job.begin; begin < job.end; begin += block) {
    const std::size_t end = job.end - begin < block ? job.end : begin + block;
    std::size_t row = 0;
    for (; row + 4 <= job.rows; row += 4) matrixRows<4>(job, row, begin, end, folding);
    for (; row + 2 <= job.rows; row += 2) matrixRows<2>(job, row, begin, end, folding);
    for (; row < job.rows; ++row) matrixRows<1>(job, row, begin, end, folding);
  }
}

}  // namespace heml::kernel::ifma
