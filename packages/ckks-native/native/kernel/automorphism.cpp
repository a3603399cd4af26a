#include "automorphism.h"

#include <stdexcept>
#include <string>

#include "evaluation-order.h"

namespace heml::kernel {

namespace {

/// r with 5^r = g modulo 2N, for g = 1 modulo 4: one bit at a time, as 5^(2^t) = 1 + 2^(t+2) modulo 2^(t+3).
Word logarithm(Word g, int logN) {
    const Word order = Word{1} << (logN - 1);
    const Word mask = (Word{2} << logN) - 1;
    Word r = 0;
    for (int bit = 0; bit < logN - 1; ++bit) {
        const Word trial = powerOfGenerator(r, logN);
        const Word low = ((Word{1} << (bit + 3)) - 1) & mask;
        if ((trial & low) != (g & low)) r |= Word{1} << bit;
    }
    return r & (order - 1);
}

}  // namespace

AutomorphismTable::AutomorphismTable(int logN, Word galoisElement) : logN_(logN), galoisElement_(galoisElement) {
    if (logN < MIN_LOG_N || logN > MAX_LOG_N || (galoisElement & 1) == 0 || galoisElement >> (logN + 1) != 0) {
        throw std::invalid_argument("automorphism: expected logN from 10 to 17 and an odd Galois element below 2N, got logN " +
                                    std::to_string(logN) + " and " + std::to_string(galoisElement));
    }
    const Word twoN = Word{2} << logN;
    flipsSign_ = (galoisElement & 3) == 3;
    exponent_ = logarithm(flipsSign_ ? twoN - galoisElement : galoisElement, logN);

    const int lineBits = logN - 4;  // bits of k that choose the line within one sign
    const Word lineMask = (Word{1} << lineBits) - 1;
    const std::size_t half = std::size_t{1} << lineBits;
    lines_ = makeAlignedArray<std::uint32_t>(2 * half);
    for (std::size_t line = 0; line < half; ++line) {
        const Word sum = reverseBits(line, lineBits) + (exponent_ & lineMask);
        const std::size_t source = reverseBits(sum & lineMask, lineBits);
        const auto carry = static_cast<std::uint32_t>(sum >> lineBits);
        const std::size_t flip = flipsSign_ ? half : 0;
        lines_[line] = static_cast<std::uint32_t>((source + flip) << 1) | carry;
        lines_[line + half] = static_cast<std::uint32_t>((source + (half - flip)) << 1) | carry;
    }
    lanes_ = makeAlignedArray<Word>(2 * LINE_WORDS);
    for (Word carry = 0; carry < 2; ++carry) {
        for (Word lane = 0; lane < LINE_WORDS; ++lane) {
            const Word top = reverseBits(lane, 3) + (exponent_ >> lineBits) + carry;
            lanes_[carry * LINE_WORDS + lane] = reverseBits(top & 7, 3);
        }
    }
}

}  // namespace heml::kernel
