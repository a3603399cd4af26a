#pragma once
// What the kernel tests share: primes, limbs of random and of extreme residues, comparisons.

#include <initializer_list>
#include <vector>

#include "kernel/evaluation-order.h"
#include "kernel/kernels.h"
#include "testing/test.h"

namespace heml::test {

using kernel::Kernels;
using kernel::Modulus;
using kernel::NttTables;
using kernel::Wide;
using kernel::Word;

inline Word powerModulo(Word base, Word exponent, Word p) {
    Word result = 1;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1) result = static_cast<Word>(static_cast<Wide>(result) * base % p);
        base = static_cast<Word>(static_cast<Wide>(base) * base % p);
    }
    return result;
}

/// Miller-Rabin with the bases that decide every 64-bit number.
inline bool isPrime(Word p) {
    if (p < 41 || (p & 1) == 0) return false;
    const int twos = __builtin_ctzll(p - 1);
    for (Word base : {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37}) {
        Word x = powerModulo(base, (p - 1) >> twos, p);
        bool passes = x == 1 || x == p - 1;
        for (int i = 1; !passes && i < twos; ++i) {
            x = static_cast<Word>(static_cast<Wide>(x) * x % p);
            passes = x == p - 1;
        }
        if (!passes) return false;
    }
    return true;
}

/// The `count` largest primes below 2^bits that are 1 modulo 2^(logN + 1).
inline std::vector<Modulus> primesBelow(int bits, int logN, std::size_t count) {
    std::vector<Modulus> found;
    const Word step = Word{2} << logN;
    for (Word p = (Word{1} << bits) - step + 1; found.size() < count && p > Word{1} << (bits - 1); p -= step) {
        if (isPrime(p)) found.push_back(Modulus::create(p));
    }
    return found;
}

/// The smallest such prime above 2^(bits - 1): the other end of the range.
inline Modulus primeAbove(int bits, int logN) {
    const Word step = Word{2} << logN;
    Word p = (Word{1} << (bits - 1)) + 1;
    while (!isPrime(p)) p += step;
    return Modulus::create(p);
}

/// An aligned limb that frees itself and copies.
class Limb {
public:
    explicit Limb(std::size_t n, Word fill = 0) : size_(n), words_(kernel::makeAlignedArray<Word>(n)) {
        for (std::size_t i = 0; i < n; ++i) words_[i] = fill;
    }
    Limb(const Limb& other) : Limb(other.size_) { std::memcpy(data(), other.data(), size_ * sizeof(Word)); }
    Limb(Limb&&) noexcept = default;
    Limb& operator=(Limb&&) noexcept = default;

    Word* data() { return words_.get(); }
    const Word* data() const { return words_.get(); }
    std::size_t size() const { return size_; }
    Word& operator[](std::size_t i) { return words_[i]; }
    Word operator[](std::size_t i) const { return words_[i]; }
    bool operator==(const Limb& other) const {
        return size_ == other.size_ && std::memcmp(data(), other.data(), size_ * sizeof(Word)) == 0;
    }

private:
    std::size_t size_;
    kernel::AlignedArray<Word> words_;
};

inline Limb randomLimb(std::size_t n, const Modulus& m, Random& random) {
    Limb limb(n);
    for (std::size_t i = 0; i < n; ++i) limb[i] = random.below(m.value);
    return limb;
}

enum class Fill { random, zero, largest, mixed };
inline constexpr Fill ALL_FILLS[] = {Fill::random, Fill::zero, Fill::largest, Fill::mixed};

/// mixed: 0, 1, p - 1 and p / 2 at random.
inline Limb filledLimb(std::size_t n, const Modulus& m, Fill fill, Random& random) {
    const Word extremes[] = {0, 1, m.value - 1, m.value / 2};
    Limb limb(n);
    for (std::size_t i = 0; i < n; ++i) {
        limb[i] = fill == Fill::random    ? random.below(m.value)
                  : fill == Fill::zero    ? 0
                  : fill == Fill::largest ? m.value - 1
                                          : extremes[random.below(4)];
    }
    return limb;
}

/// Says where two limbs differ first.
inline void checkSame(const Limb& got, const Limb& want, const std::string& what, const char* file, int line) {
    if (got == want) return;
    std::size_t at = 0;
    while (got[at] == want[at]) ++at;
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < got.size(); ++i) wrong += got[i] != want[i];
    std::ostringstream message;
    message << what << ": " << wrong << " of " << got.size() << " differ, first at " << at << ": got " << got[at] << ", want "
            << want[at];
    fail(file, line, message.str());
}

#define CHECK_SAME(got, want, what) heml::test::checkSame((got), (want), (what), __FILE__, __LINE__)

inline std::string describe(const Kernels& k, int logN, const Modulus& m, const char* op) {
    return std::string(k.name) + " " + op + " logN " + std::to_string(logN) + " p " + std::to_string(m.value);
}

/// Bit sizes worth testing at this degree; the smallest has room for a prime that is 1 modulo 2N.
inline std::vector<int> testBits() { return {25, 30, 36, 40, 45, 46, 47, 48}; }

}  // namespace heml::test
