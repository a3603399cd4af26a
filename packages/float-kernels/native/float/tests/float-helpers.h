// Operands with guard values around them, and references in double precision that also give the error bound.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "testing/test.h"
#include "runtime/scheduler.h"
#include "float/conv.h"

namespace heml::test {

using namespace heml::f32;

inline std::vector<float> randomFloats(size_t count, Random& random) {
    std::vector<float> out(count);
    for (float& x : out) x = static_cast<float>(static_cast<double>(random.below(1u << 24)) / (1u << 23) - 1.0);
    return out;
}

// Sum and sum of magnitudes: a float result in any order with n roundings lies within n * 2^-24 * magnitude (to first order).
struct Exact {
    double sum = 0, magnitude = 0;
    void add(double term) {
        sum += term;
        magnitude += std::abs(term);
    }
};

inline bool within(float got, const Exact& want, size_t roundings) {
    return std::abs(static_cast<double>(got) - want.sum) <= static_cast<double>(roundings + 2) * 0x1p-24 * want.magnitude + 1e-30;
}

// Bits: -0 and NaN count too.
inline bool sameBits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// Bits, except that every NaN is as good as any other: which of two the processor hands on is not specified.
inline bool sameNumbers(const std::vector<float>& a, const std::vector<float>& b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
        const bool same = std::isnan(a[i]) ? std::isnan(b[i]) : std::memcmp(&a[i], &b[i], sizeof(float)) == 0;
        if (!same) return false;
    }
    return true;
}

// An output filled with NaN between two guards.
class Output {
public:
    explicit Output(size_t size) : values_(size + 2 * GUARD, NAN) {
        for (size_t i = 0; i < GUARD; ++i) values_[i] = values_[values_.size() - 1 - i] = 12345.0f;
    }
    float* data() { return values_.data() + GUARD; }
    std::vector<float> values() const { return {values_.begin() + GUARD, values_.end() - GUARD}; }
    bool intact() const {
        for (size_t i = 0; i < GUARD; ++i)
            if (values_[i] != 12345.0f || values_[values_.size() - 1 - i] != 12345.0f) return false;
        return true;
    }

private:
    static constexpr size_t GUARD = 64;
    std::vector<float> values_;
};

inline const std::shared_ptr<MemoryPool>& testPool() {
    static const std::shared_ptr<MemoryPool> pool = MemoryPool::create();
    return pool;
}

}  // namespace heml::test
