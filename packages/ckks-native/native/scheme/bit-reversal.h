// The order of the special FFT's leaves.
#pragma once

#include <bit>
#include <cstddef>

namespace heml {

// visit(i, reversed i) for all i < n, n a power of two; the reversed counter is carried along, no table.
template <class Visit>
void forBitReversed(size_t n, Visit visit) {
    size_t reversed = 0;
    for (size_t i = 0; i < n; ++i) {
        visit(i, reversed);
        // Adding one from the top: the run of ones at the high end falls, the next bit rises.
        const size_t ones = static_cast<size_t>(std::countr_one(i));
        const size_t run = n - (n >> ones);
        reversed = (reversed ^ run) | (n >> (ones + 1));
    }
}

}  // namespace heml
