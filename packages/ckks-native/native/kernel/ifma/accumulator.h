#pragma once
// A sum of products as two words: `low` adds up the low halves (52 bits each), `high` the high ones.
// Nothing is reduced until the end. A high half is below 2^44, so 200 products of 48-bit residues keep
// high below 2^52, the range of the final Shoup product with 2^52 mod p; longer sums fold now and then.

#include "vector.h"

namespace heml::kernel::ifma {

inline constexpr std::size_t FOLD_EVERY = 128;
/// The same where one factor is any 52-bit value: high halves are below 2^48.
inline constexpr std::size_t FOLD_WIDE_EVERY = 12;

/// Constants that turn high 2^52 + low into a residue.
struct Folding {
    Prime prime;
    Vec radixFactor;    ///< 2^52 mod p
    Vec radixQuotient;  ///< its Shoup quotient

    HEML_INLINE explicit Folding(const Modulus& m)
        : prime(m), radixFactor(broadcast(m.radix52.factor)), radixQuotient(broadcast(m.radix52.quotient)) {}
};

/// The same that multiply the residue with a factor on the way.
struct ScaledFolding {
    Prime prime;
    Vec factor;
    Vec quotient;
    Vec radixFactor;    ///< 2^52 factor mod p
    Vec radixQuotient;

    HEML_INLINE ScaledFolding(const Modulus& m, Word by) : prime(m) {
        const ShoupFactor one = makeShoup(by, m);
        const ShoupFactor radix = makeShoup(mulMod(by, m.radix52.factor, m), m);
        factor = broadcast(one.factor);
        quotient = broadcast(one.quotient);
        radixFactor = broadcast(radix.factor);
        radixQuotient = broadcast(radix.quotient);
    }
};

struct Accumulator {
    Vec low;
    Vec high;

    HEML_INLINE void clear() { low = high = zero(); }

  /// a, b any 52-bit values.
    HEML_INLINE void multiplyAdd(Vec a, Vec b) {
        low = maddLow(low, a, b);
        high = maddHigh(high, a, b);
    }

    HEML_INLINE void add(const Accumulator& other) {
        low = add64(low, other.low);
        high = add64(high, other.high);
    }

  /// Out in [0, 4p), garbage above: both quotients are added before their one product with p.
    HEML_INLINE Vec reduceLazy(const Folding& folding) const {
        const Prime& prime = folding.prime;
        const Vec top = add64(high, _mm512_srli_epi64(low, 52));
        const Vec multiple = maddHigh(maddHigh(zero(), top, folding.radixQuotient), low, prime.reciprocal);
        return maddLow(maddLow(mask52(low), top, folding.radixFactor), multiple, prime.minusP);
    }

  /// The sum times a constant: one multiply-add more. Out in [0, p), no garbage.
    HEML_INLINE Vec reduceScaled(const ScaledFolding& folding) const {
        const Prime& prime = folding.prime;
        const Vec top = add64(high, _mm512_srli_epi64(low, 52));
        const Vec multiple = maddHigh(maddHigh(zero(), top, folding.radixQuotient), low, folding.quotient);
        const Vec product = maddLow(maddLow(zero(), low, folding.factor), top, folding.radixFactor);
        const Vec lazy = maddLow(product, multiple, prime.minusP);  // [0, 4p)
        return subtractOnce(subtractOnce(mask52(lazy), prime.twoP), prime.p);
    }

  /// Out in [0, p), no garbage.
    HEML_INLINE Vec reduce(const Folding& folding) const {
        const Prime& prime = folding.prime;
        return subtractOnce(subtractOnce(mask52(reduceLazy(folding)), prime.twoP), prime.p);
    }

    HEML_INLINE void fold(const Folding& folding) {
        low = reduce(folding);
        high = zero();
    }
};

}  // namespace heml::kernel::ifma
