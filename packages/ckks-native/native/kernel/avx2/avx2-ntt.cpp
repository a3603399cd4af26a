// The transform on doubles: radix 4 down to sixteen entries, then those in four registers.
// Between passes the limb holds doubles. Forward: x_0 is the only input of a radix-4 block that is never
// multiplied; reducing it keeps all values below p/2 + 2 0.9 p < 2.4 p. Inverse: the two sums of a block
// are reduced. Subtrees of 4,096 entries are finished one after the other, in L1.

#include "avx2.h"
#include "vector.h"

namespace heml::kernel::avx2 {

namespace {

inline constexpr std::size_t SUBTREE = 4096;
inline constexpr std::size_t LEAF = 16;

HEML_INLINE Real loadReal(const Word* from) { return _mm256_loadu_pd(reinterpret_cast<const double*>(from)); }
HEML_INLINE void storeReal(Word* to, Real v) { _mm256_storeu_pd(reinterpret_cast<double*>(to), v); }

/// In below 2.4 p; out the same or below a + 0.9 p.
HEML_INLINE void forwardButterfly(Real& a, Real& b, const Factor& w, const Prime& prime) {
    const Real product = mulFixed(b, w, prime);
    b = _mm256_sub_pd(a, product);
    a = _mm256_add_pd(a, product);
}

/// a + b and (a - b) w.
HEML_INLINE void inverseButterfly(Real& a, Real& b, const Factor& w, const Prime& prime) {
    const Real difference = _mm256_sub_pd(a, b);
    a = _mm256_add_pd(a, b);
    b = mulFixed(difference, w, prime);
}

/// The three factors of two levels under a node: its own, and its children's.
struct Radix4 {
    Factor parent, left, right;

    HEML_INLINE Radix4(const Word* quotients, std::size_t parentNode, std::size_t leftNode, std::size_t rightNode,
                       const Prime& prime)
        : parent(factorOf(broadcast(quotients[parentNode]), prime)),
          left(factorOf(broadcast(quotients[leftNode]), prime)),
          right(factorOf(broadcast(quotients[rightNode]), prime)) {}

    HEML_INLINE Radix4(const Factor& p, const Factor& l, const Factor& r) : parent(p), left(l), right(r) {}
};

HEML_INLINE void forwardRadix4(Real (&x)[4], const Radix4& w, const Prime& prime) {
    x[0] = reduceSigned(x[0], prime);
    forwardButterfly(x[0], x[2], w.parent, prime);
    forwardButterfly(x[1], x[3], w.parent, prime);
    forwardButterfly(x[0], x[1], w.left, prime);
    forwardButterfly(x[2], x[3], w.right, prime);
}

/// In and out below 0.9 p.
HEML_INLINE void inverseRadix4(Real (&x)[4], const Radix4& w, const Prime& prime) {
    inverseButterfly(x[0], x[1], w.left, prime);
    inverseButterfly(x[2], x[3], w.right, prime);
    inverseButterfly(x[0], x[2], w.parent, prime);
    inverseButterfly(x[1], x[3], w.parent, prime);
    x[0] = reduceSigned(x[0], prime);
    x[1] = reduceSigned(x[1], prime);
}

HEML_INLINE void transpose(Real (&x)[4]) {
    const Real a = _mm256_unpacklo_pd(x[0], x[1]), b = _mm256_unpackhi_pd(x[0], x[1]);
    const Real c = _mm256_unpacklo_pd(x[2], x[3]), d = _mm256_unpackhi_pd(x[2], x[3]);
    x[0] = _mm256_permute2f128_pd(a, c, 0x20);
    x[1] = _mm256_permute2f128_pd(b, d, 0x20);
    x[2] = _mm256_permute2f128_pd(a, c, 0x31);
    x[3] = _mm256_permute2f128_pd(b, d, 0x31);
}

/// The factors of the last two levels of one leaf, a lane per node of the first: 4 nodes, 8 nodes.
HEML_INLINE Radix4 leafFactors(const Word* quotients, std::size_t leaf, const Prime& prime) {
    const Int low = load(quotients + 8 * leaf), high = load(quotients + 8 * leaf + 4);
    const Int even = _mm256_permute4x64_epi64(_mm256_unpacklo_epi64(low, high), 0xD8);
    const Int odd = _mm256_permute4x64_epi64(_mm256_unpackhi_epi64(low, high), 0xD8);
    return {factorOf(load(quotients + 4 * leaf), prime), factorOf(even, prime), factorOf(odd, prime)};
}

/// The last four levels, for `count` leaves from node `leaf` on. Doubles in, words in [0, p) out.
HEML_INLINE void forwardLeaves(Word* values, std::size_t leaf, std::size_t count, const Word* quotients, const Prime& prime) {
    for (std::size_t k = 0; k < count; ++k, ++leaf, values += LEAF) {
        Real x[4] = {loadReal(values), loadReal(values + 4), loadReal(values + 8), loadReal(values + 12)};
        forwardRadix4(x, Radix4(quotients, leaf, 2 * leaf, 2 * leaf + 1, prime), prime);
        transpose(x);
        forwardRadix4(x, leafFactors(quotients, leaf, prime), prime);
        transpose(x);
        for (std::size_t i = 0; i < 4; ++i) store(values + 4 * i, reduce(x[i], prime));
    }
}

/// The reverse: words in [0, p) in, doubles out. `leaf` has its sign bit flipped.
HEML_INLINE void inverseLeaves(Word* dst, const Word* src, std::size_t leaf, std::size_t count, const Word* quotients,
                               const Prime& prime) {
    for (std::size_t k = 0; k < count; ++k, ++leaf, dst += LEAF, src += LEAF) {
        Real x[4];
        for (std::size_t i = 0; i < 4; ++i) x[i] = toReal(load(src + 4 * i));
        transpose(x);
        inverseRadix4(x, leafFactors(quotients, leaf, prime), prime);
        transpose(x);
        inverseRadix4(x, Radix4(quotients, leaf, 2 * leaf, 2 * leaf + 1, prime), prime);
        for (std::size_t i = 0; i < 4; ++i) storeReal(dst + 4 * i, x[i]);
    }
}

/// Two levels of one node of `size` entries.
HEML_INLINE void forwardNode(Word* values, std::size_t size, std::size_t node, const Word* quotients, const Prime& prime) {
    const Radix4 w(quotients, node, 2 * node, 2 * node + 1, prime);
    const std::size_t quarter = size / 4;
    for (std::size_t i = 0; i < quarter; i += LANES) {
        Real x[4];
        for (std::size_t k = 0; k < 4; ++k) x[k] = loadReal(values + i + k * quarter);
        forwardRadix4(x, w, prime);
        for (std::size_t k = 0; k < 4; ++k) storeReal(values + i + k * quarter, x[k]);
    }
}

HEML_INLINE void inverseNode(Word* values, std::size_t size, std::size_t node, const Word* quotients, const Prime& prime) {
    const Radix4 w(quotients, node, 2 * node, 2 * node + 1, prime);
    const std::size_t quarter = size / 4;
    for (std::size_t i = 0; i < quarter; i += LANES) {
        Real x[4];
        for (std::size_t k = 0; k < 4; ++k) x[k] = loadReal(values + i + k * quarter);
        inverseRadix4(x, w, prime);
        for (std::size_t k = 0; k < 4; ++k) storeReal(values + i + k * quarter, x[k]);
    }
}

/// A node of `size` = 16 4^j entries and all below it, breadth first within L1.
void forwardTree(Word* values, std::size_t size, std::size_t node, const Word* quotients, const Prime& prime) {
    if (size > SUBTREE) {
        forwardNode(values, size, node, quotients, prime);
        for (std::size_t k = 0; k < 4; ++k) forwardTree(values + k * size / 4, size / 4, 4 * node + k, quotients, prime);
        return;
    }
    std::size_t nodes = 1;
    for (std::size_t part = size; part > LEAF; part /= 4, nodes *= 4) {
        for (std::size_t k = 0; k < nodes; ++k) forwardNode(values + k * part, part, node * nodes + k, quotients, prime);
    }
    forwardLeaves(values, node * nodes, nodes, quotients, prime);
}

/// `node` has its sign bit flipped.
void inverseTree(Word* dst, const Word* src, std::size_t size, std::size_t node, const Word* quotients, const Prime& prime) {
    if (size > SUBTREE) {
        for (std::size_t k = 0; k < 4; ++k) {
            inverseTree(dst + k * size / 4, src + k * size / 4, size / 4, 4 * node + k, quotients, prime);
        }
        inverseNode(dst, size, node, quotients, prime);
        return;
    }
    std::size_t nodes = size / LEAF;
    inverseLeaves(dst, src, node * nodes, nodes, quotients, prime);
    for (std::size_t part = 4 * LEAF; part <= size; part *= 4) {
        nodes /= 4;
        for (std::size_t k = 0; k < nodes; ++k) inverseNode(dst + k * part, part, node * nodes + k, quotients, prime);
    }
}

/// Odd number of levels above the leaves: the root's level alone, else the root's two levels.
bool rootAlone(const NttTables& tables) { return tables.logN() % 2 == 1; }

}  // namespace

void nttForward(Word* dst, const Word* src, const NttTables& tables) {
    const Prime prime(tables.modulus());
    const Word* quotients = tables.quotients();
    const std::size_t n = tables.degree();
    if (rootAlone(tables)) {
        const Factor w = factorOf(broadcast(quotients[1]), prime);
        for (std::size_t i = 0; i < n / 2; i += LANES) {
            Real a = toReal(load(src + i)), b = toReal(load(src + i + n / 2));
            forwardButterfly(a, b, w, prime);
            storeReal(dst + i, a);
            storeReal(dst + i + n / 2, b);
        }
        for (std::size_t k = 0; k < 2; ++k) forwardTree(dst + k * n / 2, n / 2, 2 + k, quotients, prime);
        return;
    }
    const Radix4 w(quotients, 1, 2, 3, prime);
    for (std::size_t i = 0; i < n / 4; i += LANES) {
        Real x[4];
        for (std::size_t k = 0; k < 4; ++k) x[k] = toReal(load(src + i + k * n / 4));
        forwardRadix4(x, w, prime);
        for (std::size_t k = 0; k < 4; ++k) storeReal(dst + i + k * n / 4, x[k]);
    }
    for (std::size_t k = 0; k < 4; ++k) forwardTree(dst + k * n / 4, n / 4, 4 + k, quotients, prime);
}

void nttInverseScaled(Word* dst, const Word* src, const NttTables& tables, Word factor) {
    const Modulus& m = tables.modulus();
    const Prime prime(m);
    const Word* quotients = tables.quotients();
    const std::size_t n = tables.degree();
    const Word scale = mulMod(tables.degreeInverse(), factor, m);
    const Factor sumFactor = makeFactor(makeShoup(scale, m));
    const Factor differenceFactor = makeFactor(makeShoup(mulMod(scale, tables.factors()[0], m), m));
    const std::size_t parts = rootAlone(tables) ? 2 : 4;
    for (std::size_t k = 0; k < parts; ++k) {
        inverseTree(dst + k * n / parts, src + k * n / parts, n / parts, (parts + k) ^ (parts / 2), quotients, prime);
    }
    if (!rootAlone(tables)) {
        const Factor left = factorOf(broadcast(quotients[3]), prime), right = factorOf(broadcast(quotients[2]), prime);
        for (std::size_t i = 0; i < n / 4; i += LANES) {
            Real x[4];
            for (std::size_t k = 0; k < 4; ++k) x[k] = loadReal(dst + i + k * n / 4);
            inverseButterfly(x[0], x[1], left, prime);
            inverseButterfly(x[2], x[3], right, prime);
            for (std::size_t k = 0; k < 4; ++k) storeReal(dst + i + k * n / 4, x[k]);
        }
    }
    for (std::size_t i = 0; i < n / 2; i += LANES) {
        const Real a = loadReal(dst + i), b = loadReal(dst + i + n / 2);
        store(dst + i, canonical(mulFixed(_mm256_add_pd(a, b), sumFactor, prime), prime));
        store(dst + i + n / 2, canonical(mulFixed(_mm256_sub_pd(a, b), differenceFactor, prime), prime));
    }
}

void nttInverse(Word* dst, const Word* src, const NttTables& tables) { nttInverseScaled(dst, src, tables, 1); }

}  // namespace heml::kernel::avx2
