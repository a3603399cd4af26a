#pragma once
// X -> X^g on a limb in evaluation order, for any odd g = s 5^r modulo 2N.
// Output (sign, k) is input (s sign, k + r). The three lane bits of the index are the top bits of k,
// so output line `line` reads one input line; r and the carry out of the line bits turn its lanes.
// The table stores, per line, the source line and the carry; and the two lane permutations.

#include <array>

#include "word.h"

namespace heml::kernel {

class AutomorphismTable {
public:
  /// galoisElement odd and below 2N, else std::invalid_argument.
    AutomorphismTable(int logN, Word galoisElement);

    HEML_INLINE int logN() const { return logN_; }
    HEML_INLINE Word galoisElement() const { return galoisElement_; }
    HEML_INLINE bool flipsSign() const { return flipsSign_; }
  /// r in [0, N/2) with g = s 5^r.
    HEML_INLINE Word exponent() const { return exponent_; }

  /// Per output line: 2 * source line + carry. N/8 entries.
    HEML_INLINE const std::uint32_t* lines() const { return lines_.get(); }
  /// Output lane `lane` takes input lane lanes()[carry][lane]. 64-byte aligned.
    HEML_INLINE const Word* lanes(std::size_t carry) const { return lanes_.get() + carry * LINE_WORDS; }

  /// The input index that output index i takes.
    HEML_INLINE std::size_t sourceOf(std::size_t i) const {
        const std::uint32_t entry = lines_[i / LINE_WORDS];
        return (entry >> 1) * LINE_WORDS + lanes(entry & 1)[i % LINE_WORDS];
    }

private:
    int logN_;
    Word galoisElement_;
    bool flipsSign_ = false;
    Word exponent_ = 0;
    AlignedArray<std::uint32_t> lines_;
    AlignedArray<Word> lanes_;
};

}  // namespace heml::kernel
