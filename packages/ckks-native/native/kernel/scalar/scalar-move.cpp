// Operations that move or look at words without arithmetic.

#include <cstring>

#include "scalar.h"

namespace heml::kernel::scalar {

void permute(Word* dst, const Word* src, const AutomorphismTable& table, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) dst[i] = src[table.sourceOf(i)];
}

void pack48(std::uint8_t* dst, const Word* src, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        for (int b = 0; b < 6; ++b) dst[6 * i + b] = static_cast<std::uint8_t>(src[i] >> (8 * b));
    }
}

void unpack48(Word* dst, const std::uint8_t* src, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        Word value = 0;
        for (int b = 0; b < 6; ++b) value |= static_cast<Word>(src[6 * i + b]) << (8 * b);
        dst[i] = value;
    }
}

void pack32(std::uint8_t* dst, const Word* src, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t low = static_cast<std::uint32_t>(src[i]);
        std::memcpy(dst + sizeof low * i, &low, sizeof low);
    }
}

void unpack32(Word* dst, const std::uint8_t* src, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        std::uint32_t low;
        std::memcpy(&low, src + sizeof low * i, sizeof low);
        dst[i] = low;
    }
}

bool checkRange(const Word* src, std::size_t n, const Modulus& m) {
    bool inRange = true;
    for (std::size_t i = 0; i < n; ++i) inRange &= src[i] < m.value;
    return inRange;
}

std::size_t acceptUniform(Word* dst, std::size_t capacity, const std::uint64_t* words, std::size_t count, std::size_t* used,
                          const Modulus& m) {
    const Word mask = (Word{1} << m.bits) - 1;
    std::size_t accepted = 0;
    std::size_t looked = 0;
    for (; looked < count && accepted < capacity; ++looked) {
        const Word candidate = words[looked] & mask;
        if (candidate < m.value) dst[accepted++] = candidate;
    }
    *used = looked;
    return accepted;
}

}  // namespace heml::kernel::scalar
