#pragma once
// The order in which a limb holds its N values after the transform.
// The roots of X^N + 1 are zeta^e, e odd modulo 2N, and every such e is s 5^k with s = +1 or -1 and
// k modulo N/2. Index i = (sign bit, k bit-reversed in log2(N) - 1 bits). With it an automorphism
// X -> X^(5^r) adds r to k: a whole line of eight comes from one line, permuted in one of two ways.

#include "word.h"

namespace heml::kernel {

inline constexpr int MIN_LOG_N = 10;
inline constexpr int MAX_LOG_N = 17;

inline constexpr Word reverseBits(Word value, int bits) {
    Word reversed = 0;
    for (int b = 0; b < bits; ++b) reversed |= ((value >> b) & 1) << (bits - 1 - b);
    return reversed;
}

inline constexpr Word GALOIS_GENERATOR = 5;  // docs/adr/0001

/// 5^k modulo 2N.
inline constexpr Word powerOfGenerator(Word k, int logN) {
    const Word mask = (Word{2} << logN) - 1;
    Word result = 1;
    Word base = GALOIS_GENERATOR;
    for (; k != 0; k >>= 1, base = base * base & mask) {
        if (k & 1) result = result * base & mask;
    }
    return result;
}

/// The odd exponent e modulo 2N of the root zeta^e whose value stands at index i.
inline constexpr Word exponentAt(std::size_t i, int logN) {
    const Word half = Word{1} << (logN - 1);
    const Word e = powerOfGenerator(reverseBits(i & (half - 1), logN - 1), logN);
    return (i & half) != 0 ? (Word{2} << logN) - e : e;
}

}  // namespace heml::kernel
