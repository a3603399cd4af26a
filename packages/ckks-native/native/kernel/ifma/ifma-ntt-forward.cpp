// Forward transform in two sweeps.
// Sweep 1, columns: the first log2(N) - 8 levels. One column of lines (eight entries of every row) is
// taken through one or two blocks by way of a buffer in L1, because lines a power of two apart would
// share a few cache sets. Sweep 2, rows of 256 consecutive entries: one block of four levels, then the
// last four levels on pairs of vectors. N = 2^17 has rows of 512 and one more level before that.
// Factors come from the tables for the nodes used as broadcasts, and from the quotients otherwise.

#include "forward-block.h"
#include "ifma.h"
#include "lanes.h"

namespace heml::kernel::ifma {

namespace {

inline constexpr std::size_t ROW = 256;

/// One column of 2^(FIRST_LEVELS + NEXT_LEVELS) lines, `stride` words apart. In [0, p), out [0, 10p).
template <int FIRST_LEVELS, int NEXT_LEVELS>
HEML_INLINE void forwardColumn(Word* dst, const Word* src, std::size_t stride, const NttTables& tables,
                               const Prime& prime) {
  constexpr std::size_t GROUPS = std::size_t{1} << NEXT_LEVELS;
  constexpr std::size_t SIZE = std::size_t{1} << FIRST_LEVELS;
  alignas(64) Vec buffer[SIZE * GROUPS];
  const Word* factors = tables.factors();
  const Word* quotients = tables.quotients();
  for (std::size_t j = 0; j < GROUPS; ++j) {
    Vec x[SIZE];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < SIZE; ++i) x[i] = load(src + (i * GROUPS + j) * stride);
    forwardBlock<FIRST_LEVELS, true>(x, factors, quotients, 1, prime);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < SIZE; ++i) {
      if constexpr (NEXT_LEVELS == 0) {
        store(dst + i * stride, x[i]);
      } else {
        buffer[i * GROUPS + j] = x[i];
      }
    }
  }
  if constexpr (NEXT_LEVELS != 0) {
    for (std::size_t i = 0; i < SIZE; ++i) {
      Vec x[GROUPS];
#pragma GCC unroll 16
      for (std::size_t j = 0; j < GROUPS; ++j) x[j] = buffer[i * GROUPS + j];
      forwardBlock<NEXT_LEVELS, false>(x, factors, quotients, SIZE + i, prime);
#pragma GCC unroll 16
      for (std::size_t j = 0; j < GROUPS; ++j) store(dst + (i * GROUPS + j) * stride, x[j]);
    }
  }
}

template <int FIRST_LEVELS, int NEXT_LEVELS>
void forwardColumns(Word* dst, const Word* src, const NttTables& tables) {
  const Prime prime(tables.modulus());
  const std::size_t stride = tables.degree() >> (FIRST_LEVELS + NEXT_LEVELS);
  for (std::size_t column = 0; column < stride; column += LINE_WORDS) {
    forwardColumn<FIRST_LEVELS, NEXT_LEVELS>(dst + column, src + column, stride, tables, prime);
  }
}

/// The level that splits a row of 512. In and out [0, 10p): the left half is reduced.
HEML_INLINE void halveRow(Word* row, const NttTables& tables, std::size_t node, const Prime& prime) {
  for (std::size_t i = 0; i < ROW; i += LINE_WORDS) {
    Vec x[2] = {load(row + i), load(row + ROW + i)};
    forwardBlock<1, false>(x, tables.factors(), tables.quotients(), node, prime);
    store(row + i, x[0]);
    store(row + ROW + i, x[1]);
  }
}

/// Last four levels of one pair. In [0, 10p), out [0, p). `offsets`: p times the levels before the
/// first product, per lane of x. WIDE (p > 2^47): x is brought below 8p first, so that the sum of an
/// offset and four T stays below 16p; otherwise 18p < 2^52.
template <bool WIDE>
HEML_INLINE void forwardPair(Vec& x, Vec& y, const PairQuotients& quotients, Vec offsets, Vec eightP,
                             const Prime& prime) {
  if constexpr (WIDE) x = subtractOnce(mask52(x), eightP);
  x = add64(x, offsets);
#pragma GCC unroll 4
  for (int level = 0; level < 4; ++level) {
    if (level == 1) exchangeHalves(x, y);
    if (level == 2) exchangePairs(x, y);
    if (level == 3) exchangeNeighbours(x, y);
    const Vec quotient = quotients.level[level];
    forwardButterfly(x, y, shoupFactorOf(quotient, prime), quotient, prime);
  }
  x = reduce(x, prime);
  y = reduce(y, prime);
  merge(x, y);
}

/// The last eight levels of one row of 256; `node` is the row's. In [0, 10p), out [0, p).
template <bool WIDE>
HEML_INLINE void forwardRow(Word* row, const NttTables& tables, std::size_t node, const Prime& prime) {
  for (std::size_t half = 0; half < 2 * LINE_WORDS; half += LINE_WORDS) {
    Vec x[16];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i) x[i] = load(row + half + 16 * i);
    forwardBlock<4, false>(x, tables.factors(), tables.quotients(), node, prime);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i) store(row + half + 16 * i, x[i]);
  }
  const Word p = tables.modulus().value;
  const Vec offsets = _mm512_mullo_epi64(broadcast(p), lanes(4, 3, 2, 2, 1, 1, 1, 1));
  const Vec eightP = broadcast(8 * p);
#pragma GCC unroll 2
  for (std::size_t pair = 0; pair < 16; ++pair) {
    Vec x = load(row + 16 * pair);
    Vec y = load(row + 16 * pair + LINE_WORDS);
    forwardPair<WIDE>(x, y, PairQuotients(tables.quotients(), 16 * node + pair), offsets, eightP, prime);
    store(row + 16 * pair, x);
    store(row + 16 * pair + LINE_WORDS, y);
  }
}

template <bool WIDE>
void forwardRows(Word* dst, const NttTables& tables) {
  const Prime prime(tables.modulus());
  const std::size_t rows = tables.degree() / ROW;
  for (std::size_t r = 0; r < rows; ++r) {
    if (tables.logN() == 17 && r % 2 == 0) halveRow(dst + r * ROW, tables, (rows + r) / 2, prime);
    forwardRow<WIDE>(dst + r * ROW, tables, rows + r, prime);
  }
}

}  // namespace

void nttForward(Word* dst, const Word* src, const NttTables& tables) {
  switch (tables.logN()) {
    case 10: forwardColumns<2, 0>(dst, src, tables); break;
    case 11: forwardColumns<3, 0>(dst, src, tables); break;
    case 12: forwardColumns<4, 0>(dst, src, tables); break;
    case 13: forwardColumns<2, 3>(dst, src, tables); break;
    case 14: forwardColumns<2, 4>(dst, src, tables); break;
    case 15: forwardColumns<3, 4>(dst, src, tables); break;
    default: forwardColumns<4, 4>(dst, src, tables); break;
  }
  if (tables.modulus().bits == 48) {
    forwardRows<true>(dst, tables);
  } else {
    forwardRows<false>(dst, tables);
  }
}

}  // namespace heml::kernel::ifma
