#pragma once
// Everything a fast basis conversion {q_i} -> {p_j} needs, computed once.
// x modulo Q = prod q_i becomes y_i = x (Q/q_i)^-1 mod q_i; then x = sum_i y_i Q/q_i - v Q, with
// v = round(sum_i y_i / q_i) for the representative in [-Q/2, Q/2). The sum is taken in doubles, in
// the order of i, so all kernels round alike; x is off by Q only within 2^-41 Q of the tie (|x| near
// Q/2; 64 sources). Row j of the weights holds Q/q_i mod p_j for every i, and -Q mod p_j at the end; all of them times a
// factor f_j where one is given, and then f_j x is what arrives.

#include <vector>

#include "modulus.h"

namespace heml::kernel {

inline constexpr std::size_t MAX_CONVERTER_SOURCES = 64;

class BaseConverter {
public:
  /// 1 to 64 distinct primes as sources, at least one target; else std::invalid_argument.
    BaseConverter(std::vector<Modulus> sources, std::vector<Modulus> targets);
  /// The same times factors[j] in [0, p_j), one per target.
    BaseConverter(std::vector<Modulus> sources, std::vector<Modulus> targets, const std::vector<Word>& factors);

    HEML_INLINE std::size_t sourceCount() const { return sources_.size(); }
    HEML_INLINE std::size_t targetCount() const { return targets_.size(); }
    HEML_INLINE const std::vector<Modulus>& sources() const { return sources_; }
    HEML_INLINE const std::vector<Modulus>& targets() const { return targets_; }

  /// (Q/q_i)^-1 mod q_i: fold it into nttInverseScaled and say so with ConvertJob::sourcesScaled.
    HEML_INLINE const ShoupFactor& sourceFactor(std::size_t i) const { return factors_[i]; }
  /// sourceCount() + 1 words: Q/q_i mod p_j for every i, then -Q mod p_j.
    HEML_INLINE const Word* weights(std::size_t j) const { return weights_.data() + j * (sources_.size() + 1); }
  /// Their Shoup quotients, in the same order.
    HEML_INLINE const Word* weightQuotients(std::size_t j) const { return quotients_.data() + j * (sources_.size() + 1); }
  /// Q mod p_j (times the factor).
    HEML_INLINE Word productModulo(std::size_t j) const { return negateMod(weights(j)[sources_.size()], targets_[j]); }

private:
    std::vector<Modulus> sources_;
    std::vector<Modulus> targets_;
    std::vector<ShoupFactor> factors_;
    std::vector<Word> weights_;
    std::vector<Word> quotients_;
};

}  // namespace heml::kernel
