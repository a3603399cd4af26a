#pragma once
// Roots of unity for one prime and one degree, for all kernels and both directions.
// The transform is a binary tree. Node m of level L (index 2^L + m) holds the input modulo
// X^M - w^2, M = N / 2^L, and splits it into a + w b and a - w b. With e the exponent of the node
// (see evaluation-order.h, L bits) w = zeta^(e M / 2). Exponents come in pairs +e and -e, so the
// inverse of a node's w is the w of the node with the sign bit flipped: index j ^ 2^(L-1) for L >= 1,
// and index 0 for the root.
// Only Shoup quotients are stored for all nodes; the factors only for the first N/16, which are used
// as broadcasts (the others are derived: shoupFactorOf).

#include "modulus.h"

namespace heml::kernel {

class NttTables {
public:
  /// 10 <= logN <= 17 and p = 1 mod 2N, else std::invalid_argument. Costs about N modular products.
    NttTables(const Modulus& modulus, int logN);
  /// The same with another primitive 2N-th root, else std::invalid_argument.
    NttTables(const Modulus& modulus, int logN, Word root);

    HEML_INLINE const Modulus& modulus() const { return modulus_; }
    HEML_INLINE int logN() const { return logN_; }
    HEML_INLINE std::size_t degree() const { return std::size_t{1} << logN_; }

  /// zeta, a primitive 2N-th root of unity modulo p: the smallest, where no other was asked for.
    HEML_INLINE Word root() const { return root_; }
    HEML_INLINE Word degreeInverse() const { return degreeInverse_; }

  /// N entries in node order; 64-byte aligned.
    HEML_INLINE const Word* quotients() const { return quotients_.get(); }
  /// N/16 entries in node order; 64-byte aligned.
    HEML_INLINE const Word* factors() const { return factors_.get(); }

private:
    Modulus modulus_;
    int logN_;
    Word root_ = 0;
    Word degreeInverse_ = 0;
    AlignedArray<Word> quotients_;
    AlignedArray<Word> factors_;
};

/// The smallest primitive 2N-th root of unity modulo p.
Word findMinimalRoot(const Modulus& modulus, int logN);

}  // namespace heml::kernel
