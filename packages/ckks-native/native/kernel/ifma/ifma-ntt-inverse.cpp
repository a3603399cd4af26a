// Inverse transform: the two sweeps of the forward one, backwards.
// Sweep 1, rows of 256: the last four levels on pairs of vectors, then a block of four levels; for
// N = 2^17 one more level. Sweep 2, columns, by way of a buffer in L1; the very last level multiplies
// by factor / N. The inverse of a node's w is the w of the node with the sign bit flipped, so both
// directions read one table.

#include "ifma.h"
#include "inverse-block.h"
#include "lanes.h"

namespace heml::kernel::ifma {

namespace {

inline constexpr std::size_t ROW = 256;

/// The last four levels of one pair, backwards. In [0, p): sums reach 2p, 4p, 8p, 16p <= 2^52.
/// Out: x and y in [0, 2p).
HEML_INLINE void inversePair(Vec& x, Vec& y, const PairQuotients& quotients, const Multiples& multiples,
                             const Prime& prime) {
  split(x, y);
#pragma GCC unroll 4
  for (int level = 3; level >= 0; --level) {
    const Vec quotient = quotients.level[level];
    inverseButterfly(x, y, shoupFactorOf(quotient, prime), quotient, load(multiples.of[8 >> level]), prime);
    if (level == 3) exchangeNeighbours(x, y);
    if (level == 2) exchangePairs(x, y);
    if (level == 1) exchangeHalves(x, y);
  }
  x = reduceLazy(x, prime);
}

/// One row of 256; `node` is the row's, sign bit flipped. In [0, p), out [0, 4p).
template <bool WIDE>
HEML_INLINE void inverseRow(Word* dst, const Word* src, const NttTables& tables, std::size_t node,
                            const Multiples& multiples, const Prime& prime) {
#pragma GCC unroll 2
  for (std::size_t pair = 0; pair < 16; ++pair) {
    Vec x = load(src + 16 * pair);
    Vec y = load(src + 16 * pair + LINE_WORDS);
    inversePair(x, y, PairQuotients(tables.quotients(), 16 * node + pair), multiples, prime);
    store(dst + 16 * pair, x);
    store(dst + 16 * pair + LINE_WORDS, y);
  }
  for (std::size_t half = 0; half < 2 * LINE_WORDS; half += LINE_WORDS) {
    Vec x[16];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i) x[i] = load(dst + half + 16 * i);
    inverseBlock<4, PRODUCT_BOUND, WIDE>(x, tables.factors(), tables.quotients(), node, multiples, prime);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i) store(dst + half + 16 * i, x[i]);
  }
}

/// The level that joins two rows of 256. In and out [0, 4p).
template <bool WIDE>
HEML_INLINE void joinRows(Word* row, const NttTables& tables, std::size_t node, const Multiples& multiples,
                          const Prime& prime) {
  for (std::size_t i = 0; i < ROW; i += LINE_WORDS) {
    Vec x[2] = {load(row + i), load(row + ROW + i)};
    inverseBlock<1, BLOCK_OUT_BOUND, WIDE>(x, tables.factors(), tables.quotients(), node, multiples, prime);
    store(row + i, x[0]);
    store(row + ROW + i, x[1]);
  }
}

template <bool WIDE>
void inverseRows(Word* dst, const Word* src, const NttTables& tables) {
  const Prime prime(tables.modulus());
  const Multiples multiples(tables.modulus().value);
  const std::size_t rows = tables.degree() / ROW;
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t node = (rows + r) ^ (rows / 2);
    inverseRow<WIDE>(dst + r * ROW, src + r * ROW, tables, node, multiples, prime);
    if (tables.logN() == 17 && r % 2 == 1) joinRows<WIDE>(dst + (r - 1) * ROW, tables, node / 2, multiples, prime);
  }
}

/// One column of lines, `stride` words apart. In [0, 4p), out [0, p).
template <int FIRST_LEVELS, int NEXT_LEVELS, bool WIDE>
HEML_INLINE void inverseColumn(Word* dst, std::size_t stride, const NttTables& tables, const FinalFactors& last,
                               const Multiples& multiples, const Prime& prime) {
  constexpr std::size_t GROUPS = std::size_t{1} << NEXT_LEVELS;
  constexpr std::size_t SIZE = std::size_t{1} << FIRST_LEVELS;
  alignas(64) Vec buffer[SIZE * GROUPS];
  const Word* factors = tables.factors();
  const Word* quotients = tables.quotients();
  if constexpr (NEXT_LEVELS != 0) {
    for (std::size_t i = 0; i < SIZE; ++i) {
      Vec x[GROUPS];
#pragma GCC unroll 16
      for (std::size_t j = 0; j < GROUPS; ++j) x[j] = load(dst + (i * GROUPS + j) * stride);
      inverseBlock<NEXT_LEVELS, BLOCK_OUT_BOUND, WIDE>(x, factors, quotients, (SIZE + i) ^ (SIZE / 2), multiples,
                                                       prime);
#pragma GCC unroll 16
      for (std::size_t j = 0; j < GROUPS; ++j) buffer[i * GROUPS + j] = x[j];
    }
  }
  for (std::size_t j = 0; j < GROUPS; ++j) {
    Vec x[SIZE];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < SIZE; ++i) {
      x[i] = NEXT_LEVELS == 0 ? load(dst + i * stride) : buffer[i * GROUPS + j];
    }
    inverseFinalBlock<FIRST_LEVELS, BLOCK_OUT_BOUND, WIDE>(x, factors, quotients, last, multiples, prime);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < SIZE; ++i) store(dst + (i * GROUPS + j) * stride, x[i]);
  }
}

template <int FIRST_LEVELS, int NEXT_LEVELS, bool WIDE>
void inverseColumns(Word* dst, const NttTables& tables, Word factor) {
  const Modulus& m = tables.modulus();
  const Word scale = mulMod(tables.degreeInverse(), factor, m);
  const FinalFactors last(makeShoup(scale, m), makeShoup(mulMod(scale, tables.factors()[0], m), m));
  const Multiples multiples(m.value);
  const Prime prime(m);
  const std::size_t stride = tables.degree() >> (FIRST_LEVELS + NEXT_LEVELS);
  for (std::size_t column = 0; column < stride; column += LINE_WORDS) {
    inverseColumn<FIRST_LEVELS, NEXT_LEVELS, WIDE>(dst + column, stride, tables, last, multiples, prime);
  }
}

template <bool WIDE>
void inverse(Word* dst, const Word* src, const NttTables& tables, Word factor) {
  inverseRows<WIDE>(dst, src, tables);
  switch (tables.logN()) {
    case 10: inverseColumns<2, 0, WIDE>(dst, tables, factor); break;
    case 11: inverseColumns<3, 0, WIDE>(dst, tables, factor); break;
    case 12: inverseColumns<4, 0, WIDE>(dst, tables, factor); break;
    case 13: inverseColumns<2, 3, WIDE>(dst, tables, factor); break;
    case 14: inverseColumns<2, 4, WIDE>(dst, tables, factor); break;
    case 15: inverseColumns<3, 4, WIDE>(dst, tables, factor); break;
    default: inverseColumns<4, 4, WIDE>(dst, tables, factor); break;
  }
}

}  // namespace

void nttInverseScaled(Word* dst, const Word* src, const NttTables& tables, Word factor) {
  if (tables.modulus().bits == 48) {
    inverse<true>(dst, src, tables, factor);
  } else {
    inverse<false>(dst, src, tables, factor);
  }
}

void nttInverse(Word* dst, const Word* src, const NttTables& tables) { nttInverseScaled(dst, src, tables, 1); }

}  // namespace heml::kernel::ifma
