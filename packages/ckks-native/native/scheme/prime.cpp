#include "prime.h"

namespace heml {

namespace {

uint64_t mulModulo(uint64_t a, uint64_t b, uint64_t n) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b % n);
}

uint64_t powModulo(uint64_t base, uint64_t exponent, uint64_t n) {
    uint64_t result = 1;
    for (base %= n; exponent != 0; exponent >>= 1, base = mulModulo(base, base, n)) {
        if (exponent & 1) result = mulModulo(result, base, n);
    }
    return result;
}

// n odd, n - 1 = odd * 2^twos: whether n behaves like a prime for this base.
bool passes(uint64_t n, uint64_t base, uint64_t odd, int twos) {
    uint64_t x = powModulo(base, odd, n);
    if (x == 1 || x == n - 1) return true;
    for (int i = 1; i < twos; ++i) {
        x = mulModulo(x, x, n);
        if (x == n - 1) return true;
    }
    return false;
}

}  // namespace

bool isPrime(uint64_t n) {
    constexpr uint64_t BASES[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
    if (n < 2) return false;
    for (uint64_t p : BASES) {
        if (n % p == 0) return n == p;
    }
    const int twos = __builtin_ctzll(n - 1);
    for (uint64_t base : BASES) {
        if (!passes(n, base, (n - 1) >> twos, twos)) return false;
    }
    return true;
}

}  // namespace heml
