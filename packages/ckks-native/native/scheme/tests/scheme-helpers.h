#pragma once
// What the runtime tests share: contexts of every size with primes found on the spot, random slots, errors in bits.

#include <cmath>
#include <memory>
#include <set>
#include <vector>

#include "scheme/context.h"
#include "scheme/encoder.h"
#include "scheme/shake.h"
#include "kernel/tests/kernel-helpers.h"

namespace heml::test {

/// One prime of `bits` bits per level, `special` special primes of 46 bits.
inline std::shared_ptr<const Context> makeContext(unsigned logN, std::size_t levels, int bits = 45, std::size_t special = 2,
                                                  unsigned digitLimbs = 2, const Kernels* kernels = nullptr,
                                                  std::shared_ptr<MemoryPool> pool = MemoryPool::shared()) {
    ParametersSpec spec;
    spec.logN = logN;
    for (const Modulus& m : primesBelow(bits, static_cast<int>(logN), levels)) spec.levels.push_back({m.value});
    for (const Modulus& m : primesBelow(bits == 46 ? 47 : 46, static_cast<int>(logN), special)) spec.special.push_back(m.value);
    spec.digitLimbs = digitLimbs;
    return Context::create(std::move(spec), std::move(pool), kernels);
}

/// Uniform in [-1, 1).
inline std::vector<double> randomValues(std::size_t n, Random& random) {
    std::vector<double> values(n);
    for (double& value : values) value = static_cast<double>(random.next() >> 11) * 0x1p-52 - 1;
    return values;
}

inline double largestDifference(const std::vector<double>& a, const std::vector<double>& b) {
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = std::abs(a[i] - b[i]);
        largest = difference >= largest || std::isnan(difference) ? difference : largest;
    }
    return largest;
}

/// -log2(error): 60 for none at all.
inline double precisionBits(const std::vector<double>& got, const std::vector<double>& want) {
    const double error = largestDifference(got, want);
    return error == 0 ? 60 : -std::log2(error);
}

/// Root of the mean square.
template <class Values>
double deviation(const Values& values) {
    double sum = 0;
    for (const auto value : values) sum += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(sum / static_cast<double>(values.size()));
}

inline Seed testSeed(std::uint8_t first) {
    Seed seed;
    for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::uint8_t>(first + i);
    return seed;
}

/// The error of type E that the expression throws must mention the text.
#define CHECK_THROWS_TEXT(expression, E, text)                                                                         \
    do {                                                                                                               \
        std::string message = "(nothing)";                                                                             \
        try {                                                                                                          \
            (void)(expression);                                                                                        \
        } catch (const E& error) {                                                                                     \
            message = error.what();                                                                                    \
        }                                                                                                              \
        if (message.find(text) == std::string::npos)                                                                   \
            heml::test::fail(__FILE__, __LINE__,                                                                       \
                             std::string(#expression) + ": wanted an " #E " with \"" + (text) + "\", got " + message); \
    } while (false)

}  // namespace heml::test
