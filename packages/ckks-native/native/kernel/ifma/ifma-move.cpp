// Operations that move or look at words without arithmetic.

#include "kernel/scalar/scalar.h"
#include "ifma.h"
#include "operands.h"

namespace heml::kernel::ifma {

void permute(Word* dst, const Word* src, const AutomorphismTable& table, std::size_t begin, std::size_t end) {
    const Permutation permutation(&table);
    for (std::size_t i = begin; i < end; i += LINE_WORDS) {
        store(dst + i, Permutation::take(src, permutation.at(i)));
    }
}

void pack48(std::uint8_t* dst, const Word* src, std::size_t n) {
    for (std::size_t i = 0; i < n; i += LINE_WORDS) packLine(dst + 6 * i, load(src + i));
}

void unpack48(Word* dst, const std::uint8_t* src, std::size_t n) {
    for (std::size_t i = 0; i < n; i += LINE_WORDS) store(dst + i, unpackLine(src + 6 * i));
}

void pack32(std::uint8_t* dst, const Word* src, std::size_t n) {
    for (std::size_t i = 0; i < n; i += LINE_WORDS) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + 4 * i), _mm512_cvtepi64_epi32(load(src + i)));
    }
}

void unpack32(Word* dst, const std::uint8_t* src, std::size_t n) {
    for (std::size_t i = 0; i < n; i += LINE_WORDS) store(dst + i, widenLine(src + 4 * i));
}

bool checkRange(const Word* src, std::size_t n, const Modulus& m) {
    Vec largest = zero();
    for (std::size_t i = 0; i < n; i += LINE_WORDS) largest = _mm512_max_epu64(largest, load(src + i));
    return n == 0 || _mm512_reduce_max_epu64(largest) < m.value;
}

std::size_t acceptUniform(Word* dst, std::size_t capacity, const std::uint64_t* words, std::size_t count, std::size_t* used,
                          const Modulus& m) {
    const Vec p = broadcast(m.value);
    const Vec mask = broadcast((Word{1} << m.bits) - 1);
    std::size_t accepted = 0;
    std::size_t looked = 0;
    while (looked + LINE_WORDS <= count && accepted + LINE_WORDS <= capacity) {
        const Vec candidates = _mm512_and_si512(load(words + looked), mask);
        const __mmask8 good = _mm512_cmplt_epu64_mask(candidates, p);
        store(dst + accepted, _mm512_maskz_compress_epi64(good, candidates));
        accepted += static_cast<std::size_t>(__builtin_popcount(good));
        looked += LINE_WORDS;
    }
    std::size_t tailUsed = 0;
    accepted += scalar::acceptUniform(dst + accepted, capacity - accepted, words + looked, count - looked, &tailUsed, m);
    *used = looked + tailUsed;
    return accepted;
}

}  // namespace heml::kernel::ifma
