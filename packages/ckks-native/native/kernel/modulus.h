#pragma once
// One prime and the constants that replace division by it.
// All of them are made for 52-bit quotients, because the widest kernel multiplies 52-bit words; the
// scalar and AVX2 kernels use the same constants, so a table built once serves every kernel.
//   Shoup:   for a fixed factor w, w' = floor(w 2^52 / p); x w - floor(x w' / 2^52) p lies in [0, 2p)
//            for every x < 2^52. The factor follows from the quotient: w = floor(w' p / 2^52) + 1.
//   Barrett: floor(x / p) from floor(2^52 / p), x < 2^52, one too small at most.
//   Product: a b < 2^96; floor(a b / 2^(bits-1)) times floor(2^(51+bits) / p), two too small at most.
//   Folding: hi 2^52 + lo = hi (2^52 mod p) + lo, one Shoup product.

#include "word.h"

namespace heml::kernel {

inline constexpr int MIN_PRIME_BITS = 20;
inline constexpr int MAX_PRIME_BITS = 48;
inline constexpr Word MASK52 = (Word{1} << 52) - 1;

/// A fixed factor in [0, p) and floor(factor 2^52 / p).
struct ShoupFactor {
    Word factor;
    Word quotient;
};

struct Modulus {
    Word value;              ///< p, odd, 2^19 < p < 2^48
    int bits;                ///< 2^(bits-1) <= p < 2^bits
    Word reciprocal52;       ///< floor(2^52 / p)
    ShoupFactor radix52;     ///< 2^52 mod p
    Word productReciprocal;  ///< floor(2^(51+bits) / p), below 2^52
    double inverse;          ///< 1 / p, correctly rounded

  /// Throws std::invalid_argument unless p is odd and of 20 to 48 bits. Primality is the caller's word.
    static Modulus create(Word p);
};

/// a, b in [0, p); result in [0, p).
HEML_INLINE Word addMod(Word a, Word b, const Modulus& m) {
    const Word sum = a + b;
    return sum >= m.value ? sum - m.value : sum;
}

/// a, b in [0, p); result in [0, p).
HEML_INLINE Word subMod(Word a, Word b, const Modulus& m) { return a >= b ? a - b : a + m.value - b; }

/// a in [0, p); result in [0, p).
HEML_INLINE Word negateMod(Word a, const Modulus& m) { return a == 0 ? 0 : m.value - a; }

/// x in [0, 2^52); result in [0, p).
HEML_INLINE Word reduceMod(Word x, const Modulus& m) {
    const Word quotient = static_cast<Word>((static_cast<Wide>(x) * m.reciprocal52) >> 52);
    const Word rest = x - quotient * m.value;
    return rest >= m.value ? rest - m.value : rest;
}

/// a, b in [0, 2^48) with a b < 2^(2 bits); result in [0, p).
HEML_INLINE Word mulMod(Word a, Word b, const Modulus& m) {
    const Wide product = static_cast<Wide>(a) * b;
    const Word head = static_cast<Word>(product >> (m.bits - 1));
    const Word quotient = static_cast<Word>((static_cast<Wide>(head) * m.productReciprocal) >> 52);
    Word rest = static_cast<Word>(product) - quotient * m.value;  // [0, 3p)
    if (rest >= 2 * m.value) rest -= 2 * m.value;
    return rest >= m.value ? rest - m.value : rest;
}

/// x in [0, 2^52); result in [0, 2p), congruent to x times the factor.
HEML_INLINE Word mulShoupLazy(Word x, ShoupFactor w, const Modulus& m) {
    const Word quotient = static_cast<Word>((static_cast<Wide>(x) * w.quotient) >> 52);
    return x * w.factor - quotient * m.value;
}

/// x in [0, 2^52); result in [0, p).
HEML_INLINE Word mulShoup(Word x, ShoupFactor w, const Modulus& m) {
    const Word rest = mulShoupLazy(x, w, m);
    return rest >= m.value ? rest - m.value : rest;
}

/// x in [0, 2^104); result in [0, p). A sum of up to 256 products of 48-bit residues is in range.
HEML_INLINE Word reduceWideMod(Wide x, const Modulus& m) {
    const Word high = mulShoup(static_cast<Word>(x >> 52), m.radix52, m);
    return addMod(high, reduceMod(static_cast<Word>(x) & MASK52, m), m);
}

/// factor in [0, p).
ShoupFactor makeShoup(Word factor, const Modulus& m);

/// The factor whose Shoup quotient this is (never that of 0).
HEML_INLINE Word shoupFactorOf(Word quotient, const Modulus& m) {
    return static_cast<Word>((static_cast<Wide>(quotient) * m.value) >> 52) + 1;
}

/// base in [0, p); result in [0, p).
Word powMod(Word base, Word exponent, const Modulus& m);

/// a in (0, p), p prime; result in (0, p).
Word inverseMod(Word a, const Modulus& m);

}  // namespace heml::kernel
