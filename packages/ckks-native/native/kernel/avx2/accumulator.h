#pragma once
// A sum of 48-bit products in three words: 24-bit halves make 48-bit partial products, whose sums stay
// below 2^63 for 2^13 terms. No reduction until the end, where three parts meet as doubles.

#include "vector.h"

namespace heml::kernel::avx2 {

/// More terms than any sum of residues here has; longer ones fold.
inline constexpr std::size_t FOLD_EVERY = 4096;

/// Both halves of a word below 2^48.
struct Halves {
    Int low, high;

    HEML_INLINE explicit Halves(Int x) : low(_mm256_and_si256(x, broadcast(0xFFFFFF))), high(_mm256_srli_epi64(x, 24)) {}
    HEML_INLINE Halves(Int l, Int h) : low(l), high(h) {}
};

/// Constants that turn the parts into one residue.
struct Folding {
    Prime prime;
    Factor power48, power72;

    HEML_INLINE explicit Folding(const Modulus& m)
        : prime(m),
          power48(makeFactor(makeShoup((Word{1} << 48) % m.value, m))),
          power72(makeFactor(makeShoup(mulMod((Word{1} << 48) % m.value, (Word{1} << 24) % m.value, m), m))) {}
};

struct Accumulator {
    Int low, middle, high;

    HEML_INLINE void start(Int value) {
        low = value;
        middle = high = _mm256_setzero_si256();
    }

    HEML_INLINE void multiplyAdd(const Halves& a, const Halves& b) {
        low = _mm256_add_epi64(low, _mm256_mul_epu32(a.low, b.low));
        middle = _mm256_add_epi64(middle, _mm256_add_epi64(_mm256_mul_epu32(a.low, b.high), _mm256_mul_epu32(a.high, b.low)));
        high = _mm256_add_epi64(high, _mm256_mul_epu32(a.high, b.high));
    }

  /// Out in [0, p).
    HEML_INLINE Int reduce(const Folding& folding) const {
        const Int mask = broadcast(0xFFFFFF);
        const Int carried = _mm256_add_epi64(middle, _mm256_srli_epi64(low, 24));
        const Int top = _mm256_add_epi64(high, _mm256_srli_epi64(carried, 24));
        const Int bottom = _mm256_or_si256(_mm256_slli_epi64(_mm256_and_si256(carried, mask), 24), _mm256_and_si256(low, mask));
    // top < 2^62: 24 bits at 2^48, the rest, below 2^38, at 2^72.
        const Real sum48 = mulFixed(toReal(_mm256_and_si256(top, mask)), folding.power48, folding.prime);
        const Real sum72 = mulFixed(toReal(_mm256_srli_epi64(top, 24)), folding.power72, folding.prime);
        return avx2::reduce(_mm256_add_pd(_mm256_add_pd(toReal(bottom), sum48), sum72), folding.prime);
    }
};

}  // namespace heml::kernel::avx2
