#pragma once
// Eight residues at a time, modulo 2^52.
// vpmadd52 reads the low 52 bits of its factors and adds 52 bits of the product to a 64-bit word, so
// a value may carry anything above bit 51: every range in this folder is one of the low 52 bits.
// Only a comparison (min) needs the mask first. The accumulating form also gives constants for free:
// the product's start value is an offset. Zen 5 does two of these instructions per cycle, Zen 4 one.

#include <immintrin.h>

#include "kernel/modulus.h"

namespace heml::kernel::ifma {

using Vec = __m512i;

HEML_INLINE Vec load(const Word* from) { return _mm512_loadu_si512(from); }
HEML_INLINE void store(Word* to, Vec v) { _mm512_storeu_si512(to, v); }
/// Past the caches, for what is read much later; 64-byte aligned. Other threads may read it after streamFence.
HEML_INLINE void stream(Word* to, Vec v) { _mm512_stream_si512(reinterpret_cast<__m512i*>(to), v); }
HEML_INLINE void streamFence() { _mm_sfence(); }
HEML_INLINE Vec broadcast(Word w) { return _mm512_set1_epi64(static_cast<long long>(w)); }
HEML_INLINE Vec zero() { return _mm512_setzero_si512(); }
HEML_INLINE Vec add64(Vec a, Vec b) { return _mm512_add_epi64(a, b); }
HEML_INLINE Vec sub64(Vec a, Vec b) { return _mm512_sub_epi64(a, b); }
HEML_INLINE Vec min64(Vec a, Vec b) { return _mm512_min_epu64(a, b); }
HEML_INLINE Vec mask52(Vec a) { return _mm512_and_si512(a, broadcast(MASK52)); }

/// accumulator + the low 52 bits of a b.
HEML_INLINE Vec maddLow(Vec accumulator, Vec a, Vec b) { return _mm512_madd52lo_epu64(accumulator, a, b); }
/// accumulator + floor(a b / 2^52).
HEML_INLINE Vec maddHigh(Vec accumulator, Vec a, Vec b) { return _mm512_madd52hi_epu64(accumulator, a, b); }

/// a in [0, 2 bound), no garbage; out in [0, bound).
HEML_INLINE Vec subtractOnce(Vec a, Vec bound) { return min64(a, sub64(a, bound)); }

/// The constants of one prime, broadcast.
struct Prime {
    Vec p;
    Vec minusP;      ///< -p as a 64-bit word; its low 52 bits are 2^52 - p
    Vec twoP;
    Vec reciprocal;  ///< floor(2^52 / p)

    HEML_INLINE explicit Prime(const Modulus& m)
        : p(broadcast(m.value)),
          minusP(broadcast(Word{0} - m.value)),
          twoP(broadcast(2 * m.value)),
          reciprocal(broadcast(m.reciprocal52)) {}
};

/// x any 52-bit value; out in [0, 2p), garbage above.
HEML_INLINE Vec reduceLazy(Vec x, const Prime& prime) { return maddLow(x, maddHigh(zero(), x, prime.reciprocal), prime.minusP); }

/// x any 52-bit value; out in [0, p), no garbage.
HEML_INLINE Vec reduce(Vec x, const Prime& prime) { return subtractOnce(mask52(reduceLazy(x, prime)), prime.p); }

/// x any 52-bit value; out congruent to x w, in offset + [0, 2p), garbage above.
HEML_INLINE Vec mulShoupLazy(Vec x, Vec factor, Vec quotient, Vec offset, const Prime& prime) {
    const Vec multiple = maddHigh(zero(), x, quotient);
    return maddLow(maddLow(offset, x, factor), multiple, prime.minusP);
}

/// x any 52-bit value; out in [0, p), no garbage.
HEML_INLINE Vec mulShoup(Vec x, Vec factor, Vec quotient, const Prime& prime) {
    return subtractOnce(mask52(mulShoupLazy(x, factor, quotient, zero(), prime)), prime.p);
}

/// floor(w' p / 2^52) + 1: the factor whose Shoup quotient is w'.
HEML_INLINE Vec shoupFactorOf(Vec quotient, const Prime& prime) { return maddHigh(broadcast(1), quotient, prime.p); }

}  // namespace heml::kernel::ifma
