#include "modulus.h"

#include <stdexcept>
#include <string>

namespace heml::kernel {

Modulus Modulus::create(Word p) {
    const int bits = p == 0 ? 0 : 64 - __builtin_clzll(p);
    if (bits < MIN_PRIME_BITS || bits > MAX_PRIME_BITS || (p & 1) == 0) {
        throw std::invalid_argument("modulus: expected an odd prime of 20 to 48 bits, got " + std::to_string(p));
    }
    Modulus m{};
    m.value = p;
    m.bits = bits;
    m.reciprocal52 = (Word{1} << 52) / p;
    m.productReciprocal = static_cast<Word>((static_cast<Wide>(1) << (51 + bits)) / p);
    m.inverse = 1.0 / static_cast<double>(p);
    m.radix52 = makeShoup((Word{1} << 52) % p, m);
    return m;
}

ShoupFactor makeShoup(Word factor, const Modulus& m) {
  // The double is off by a few units at most; the remainder, exact modulo 2^64, says by how many.
    Word quotient = static_cast<Word>(static_cast<double>(factor) * m.inverse * 4503599627370496.0);
    auto rest = static_cast<std::int64_t>((factor << 52) - quotient * m.value);
    const auto p = static_cast<std::int64_t>(m.value);
    while (rest < 0) {
        rest += p;
        --quotient;
    }
    while (rest >= p) {
        rest -= p;
        ++quotient;
    }
    return {factor, quotient};
}

Word powMod(Word base, Word exponent, const Modulus& m) {
    Word result = 1;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1) result = mulMod(result, base, m);
        base = mulMod(base, base, m);
    }
    return result;
}

Word inverseMod(Word a, const Modulus& m) { return powMod(a, m.value - 2, m); }

}  // namespace heml::kernel
