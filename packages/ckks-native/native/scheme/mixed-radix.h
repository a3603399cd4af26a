// From residues to the centred integer they stand for, as a double.
//
// x = v_0 + q_0 (v_1 + q_1 (v_2 + ...)), every digit centred: |v_i| <= q_i / 2 (Garner's algorithm, Knuth 4.3.2). The
// highest digit that is not 0 dominates, so the sum in doubles keeps 53 bits less one of the integer, however many limbs.
#pragma once

#include "context.h"

namespace heml {

class MixedRadix {
public:
    // Of the first `limbs` q primes.
    MixedRadix(const Context& context, size_t limbs);

    // residues[i][at]: the residue modulo q_i.
    double value(const uint64_t* const* residues, size_t at) const;
    // out[j] = value at (first + j) * gap, j < count.
    void values(double* out, const uint64_t* const* residues, size_t first, size_t count, size_t gap) const;

private:
    std::vector<kernel::Modulus> moduli_;
    std::vector<uint64_t> inverse_;                 // (q_0 ... q_(i-1))^-1 mod q_i
    std::vector<std::vector<uint64_t>> product_;    // [i][j]: q_0 ... q_(j-1) mod q_i, j <= i
    std::vector<double> weight_;                    // q_0 ... q_(i-1)
};

}  // namespace heml
