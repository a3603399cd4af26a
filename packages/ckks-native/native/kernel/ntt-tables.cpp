#include "ntt-tables.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "evaluation-order.h"

namespace heml::kernel {

namespace {

/// zeta^j for j in [0, N).
std::vector<Word> powersOf(Word root, std::size_t count, const Modulus& m) {
    std::vector<Word> powers(count);
    const ShoupFactor step = makeShoup(root, m);
    powers[0] = 1;
    for (std::size_t j = 1; j < count; ++j) powers[j] = mulShoup(powers[j - 1], step, m);
    return powers;
}

}  // namespace

Word findMinimalRoot(const Modulus& m, int logN) {
    const Word order = Word{2} << logN;
    if ((m.value - 1) % order != 0) {
        throw std::invalid_argument("nttTables: expected a prime that is 1 modulo 2N = " + std::to_string(order) + ", got " +
                                    std::to_string(m.value));
    }
    const Word cofactor = (m.value - 1) / order;
    Word root = 0;
    for (Word candidate = 2; root == 0; ++candidate) {
        if (candidate > 1000) throw std::invalid_argument("nttTables: " + std::to_string(m.value) + " is not prime");
        const Word power = powMod(candidate, cofactor, m);
        if (powMod(power, order / 2, m) == m.value - 1) root = power;
    }
    const ShoupFactor square = makeShoup(mulMod(root, root, m), m);
    Word smallest = root;
    for (Word j = 1; j < order / 2; ++j) {
        root = mulShoup(root, square, m);
        smallest = std::min(smallest, root);
    }
    return smallest;
}

namespace {

void checkDegree(int logN) {
    if (logN < MIN_LOG_N || logN > MAX_LOG_N) {
        throw std::invalid_argument("nttTables: expected logN from 10 to 17, got " + std::to_string(logN));
    }
}

Word checkedMinimalRoot(const Modulus& modulus, int logN) {
    checkDegree(logN);
    return findMinimalRoot(modulus, logN);
}

}  // namespace

NttTables::NttTables(const Modulus& modulus, int logN) : NttTables(modulus, logN, checkedMinimalRoot(modulus, logN)) {}

NttTables::NttTables(const Modulus& modulus, int logN, Word root) : modulus_(modulus), logN_(logN), root_(root) {
    checkDegree(logN);
    const std::size_t n = degree();
    if (powMod(root, n, modulus_) != modulus_.value - 1) {
        throw std::invalid_argument("nttTables: " + std::to_string(root) + " is no primitive root of order " +
                                    std::to_string(2 * n) + " modulo " + std::to_string(modulus_.value));
    }
    degreeInverse_ = inverseMod(n, modulus_);
    quotients_ = makeAlignedArray<Word>(n);
    factors_ = makeAlignedArray<Word>(n / 16);

    const std::vector<Word> powers = powersOf(root_, n, modulus_);
    const auto power = [&](Word exponent) {
        exponent &= 2 * n - 1;
        return exponent < n ? powers[exponent] : modulus_.value - powers[exponent - n];
    };
    const auto store = [&](std::size_t node, Word factor) {
        quotients_[node] = makeShoup(factor, modulus_).quotient;
        if (node < n / 16) factors_[node] = factor;
    };
    store(0, power(2 * n - n / 2));
    store(1, power(n / 2));
    for (int level = 1; level < logN; ++level) {
        const std::size_t half = std::size_t{1} << (level - 1);
        const Word stride = n >> (level + 1);
        std::vector<Word> exponents(half);  // 5^k stride modulo 2N, by k
        Word exponent = stride;
        for (std::size_t k = 0; k < half; ++k, exponent = exponent * GALOIS_GENERATOR & (2 * n - 1)) exponents[k] = exponent;
        for (std::size_t m = 0; m < half; ++m) {
            const Word e = exponents[reverseBits(m, level - 1)];
            store(2 * half + m, power(e));
            store(3 * half + m, power(2 * n - e));
        }
    }
}

}  // namespace heml::kernel
