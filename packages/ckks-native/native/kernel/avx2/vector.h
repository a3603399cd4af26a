#pragma once
// Four residues at a time, as doubles.
// Integers below 2^53 are exact in a double, and fused multiply-add gives both halves of a product:
// h = round(x w), l = x w - h. With q = round(x w / p), x w - q p = (h - q p) + l, where both steps are
// exact because their results are integers below 2^53. Values are signed, so q rounds to nearest and
// a product is at most p / 2 in magnitude, plus what the estimate of q errs: |x| 2^-52 p for the Shoup
// quotient and as much for rounding. Every |x| here stays below 4p < 2^50: a product is below 0.9 p.

#include <immintrin.h>

#include "kernel/modulus.h"

namespace heml::kernel::avx2 {

using Int = __m256i;
using Real = __m256d;

inline constexpr std::size_t LANES = 4;

HEML_INLINE Int load(const Word* from) { return _mm256_loadu_si256(reinterpret_cast<const Int*>(from)); }
HEML_INLINE void store(Word* to, Int v) { _mm256_storeu_si256(reinterpret_cast<Int*>(to), v); }
HEML_INLINE Int broadcast(Word w) { return _mm256_set1_epi64x(static_cast<long long>(w)); }
HEML_INLINE Int zero() { return _mm256_setzero_si256(); }
HEML_INLINE Real real(double d) { return _mm256_set1_pd(d); }
HEML_INLINE Real nearest(Real x) { return _mm256_round_pd(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

/// Words below 2^52 to doubles: the mantissa of 2^52 + x.
HEML_INLINE Real toReal(Int x) {
    const Real base = real(4503599627370496.0);
    return _mm256_sub_pd(_mm256_or_pd(_mm256_castsi256_pd(x), base), base);
}

/// Non-negative integers below 2^52 to words.
HEML_INLINE Int toWord(Real x) {
    const Real base = real(4503599627370496.0);
    return _mm256_castpd_si256(_mm256_xor_pd(_mm256_add_pd(x, base), base));
}

/// Shoup quotients w' to w' / 2^52: the mantissa of 1 + w' / 2^52.
HEML_INLINE Real toFraction(Int quotient) {
    const Real one = real(1.0);
    return _mm256_sub_pd(_mm256_or_pd(_mm256_castsi256_pd(quotient), one), one);
}

struct Prime {
    Real p;
    Real inverse;

    HEML_INLINE explicit Prime(const Modulus& m) : p(real(static_cast<double>(m.value))), inverse(real(m.inverse)) {}
};

/// A fixed factor w and w / p.
struct Factor {
    Real factor;
    Real fraction;
};

HEML_INLINE Factor makeFactor(ShoupFactor w) { return {real(static_cast<double>(w.factor)), toFraction(broadcast(w.quotient))}; }

/// w from w': w' p / 2^52 lies in (w - 1/16, w], and rounding the product adds at most 1/32.
HEML_INLINE Factor factorOf(Int quotients, const Prime& prime) {
    const Real fraction = toFraction(quotients);
    return {nearest(_mm256_mul_pd(fraction, prime.p)), fraction};
}

/// |x| < 2^52; out congruent, at most p / 2 + 1 in magnitude.
HEML_INLINE Real reduceSigned(Real x, const Prime& prime) {
    return _mm256_fnmadd_pd(nearest(_mm256_mul_pd(x, prime.inverse)), prime.p, x);
}

/// |x| < 4p; out x w, below 0.9 p in magnitude.
HEML_INLINE Real mulFixed(Real x, const Factor& w, const Prime& prime) {
    const Real high = _mm256_mul_pd(x, w.factor);
    const Real low = _mm256_fmsub_pd(x, w.factor, high);
    const Real multiple = nearest(_mm256_mul_pd(x, w.fraction));
    return _mm256_add_pd(_mm256_fnmadd_pd(multiple, prime.p, high), low);
}

/// |a|, |b| <= p; out a b, below 0.9 p in magnitude.
HEML_INLINE Real mulSigned(Real a, Real b, const Prime& prime) {
    const Real high = _mm256_mul_pd(a, b);
    const Real low = _mm256_fmsub_pd(a, b, high);
    const Real multiple = nearest(_mm256_mul_pd(high, prime.inverse));
    return _mm256_add_pd(_mm256_fnmadd_pd(multiple, prime.p, high), low);
}

/// |x| <= p - 1; out the words of x mod p, in [0, p).
HEML_INLINE Int canonical(Real x, const Prime& prime) {
    const Real negative = _mm256_cmp_pd(x, _mm256_setzero_pd(), _CMP_LT_OQ);
    return toWord(_mm256_add_pd(x, _mm256_and_pd(negative, prime.p)));
}

/// |x| < 2^52; out in [0, p).
HEML_INLINE Int reduce(Real x, const Prime& prime) { return canonical(reduceSigned(x, prime), prime); }

/// Words below 2^63: a in [0, 2 bound); out in [0, bound).
HEML_INLINE Int subtractOnce(Int a, Int bound) {
    const Int rest = _mm256_sub_epi64(a, bound);
    return _mm256_blendv_epi8(rest, a, _mm256_cmpgt_epi64(bound, a));
}

}  // namespace heml::kernel::avx2
