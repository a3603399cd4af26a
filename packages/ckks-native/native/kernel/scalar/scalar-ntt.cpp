// The transform as the tree of ntt-tables.h says it, one level after the other.
// Forward: values stay in [0, 4p), T = w b in [0, 2p). Inverse: values stay in [0, 2p), and the last
// level multiplies both halves by factor / N, which also makes them canonical.

#include <cstring>

#include "scalar.h"

namespace heml::kernel::scalar {

namespace {

/// a, b in [0, 4p); out in [0, 4p): a + w b and a - w b.
inline void forwardButterfly(Word& a, Word& b, ShoupFactor w, const Modulus& m) {
    const Word twoP = 2 * m.value;
    const Word head = a >= twoP ? a - twoP : a;
    const Word product = mulShoupLazy(b, w, m);
    a = head + product;
    b = head + twoP - product;
}

/// a, b in [0, 2p); out in [0, 2p): a + b and (a - b) w.
inline void inverseButterfly(Word& a, Word& b, ShoupFactor w, const Modulus& m) {
    const Word twoP = 2 * m.value;
    const Word sum = a + b;
    b = mulShoupLazy(a + twoP - b, w, m);
    a = sum >= twoP ? sum - twoP : sum;
}

ShoupFactor factorAt(const NttTables& tables, std::size_t node) {
    const Word quotient = tables.quotients()[node];
    return {shoupFactorOf(quotient, tables.modulus()), quotient};
}

}  // namespace

void nttForward(Word* dst, const Word* src, const NttTables& tables) {
    const Modulus& m = tables.modulus();
    const std::size_t n = tables.degree();
    if (dst != src) std::memcpy(dst, src, n * sizeof(Word));
    for (std::size_t nodes = 1; nodes < n; nodes *= 2) {
        const std::size_t half = n / nodes / 2;
        for (std::size_t node = 0; node < nodes; ++node) {
            const ShoupFactor w = factorAt(tables, nodes + node);
            Word* block = dst + node * 2 * half;
            for (std::size_t i = 0; i < half; ++i) forwardButterfly(block[i], block[i + half], w, m);
        }
    }
    for (std::size_t i = 0; i < n; ++i) dst[i] = reduceMod(dst[i], m);
}

void nttInverseScaled(Word* dst, const Word* src, const NttTables& tables, Word factor) {
    const Modulus& m = tables.modulus();
    const std::size_t n = tables.degree();
    if (dst != src) std::memcpy(dst, src, n * sizeof(Word));
    for (std::size_t nodes = n / 2; nodes > 1; nodes /= 2) {
        const std::size_t half = n / nodes / 2;
        for (std::size_t node = 0; node < nodes; ++node) {
            const ShoupFactor w = factorAt(tables, (nodes + node) ^ (nodes / 2));
            Word* block = dst + node * 2 * half;
            for (std::size_t i = 0; i < half; ++i) inverseButterfly(block[i], block[i + half], w, m);
        }
    }
    const Word scale = mulMod(tables.degreeInverse(), factor, m);
    const ShoupFactor sumFactor = makeShoup(scale, m);
    const ShoupFactor differenceFactor = makeShoup(mulMod(scale, factorAt(tables, 0).factor, m), m);
    for (std::size_t i = 0; i < n / 2; ++i) {
        const Word a = dst[i];
        const Word b = dst[i + n / 2];
        dst[i] = mulShoup(a + b, sumFactor, m);
        dst[i + n / 2] = mulShoup(a + 2 * m.value - b, differenceFactor, m);
    }
}

void nttInverse(Word* dst, const Word* src, const NttTables& tables) { nttInverseScaled(dst, src, tables, 1); }

}  // namespace heml::kernel::scalar
