// Operations that move or look at words without arithmetic.

#include <bit>

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

bool checkedCopy48(std::uint8_t* dst, const std::uint8_t* src, std::size_t n, const Modulus& m) {
    Vec largest = zero();
    for (std::size_t i = 0; i < n; i += LINE_WORDS) {
        const Vec words = unpackLine(src + 6 * i);
        largest = _mm512_max_epu64(largest, words);
        packLine(dst + 6 * i, words);
    }
    return n == 0 || _mm512_reduce_max_epu64(largest) < m.value;
}

namespace {

/// Eight lines of eight words: rows to columns.
HEML_INLINE void transpose(Vec (&a)[8]) {
    Vec b[8], c[8];
    for (std::size_t i = 0; i < 8; i += 2) {
        b[i] = _mm512_unpacklo_epi64(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 1]);
    }
    for (std::size_t i = 0; i < 2; ++i) {
        for (std::size_t half = 0; half < 8; half += 4) {
            c[half + i] = _mm512_shuffle_i64x2(b[half + i], b[half + i + 2], 0x88);
            c[half + i + 2] = _mm512_shuffle_i64x2(b[half + i], b[half + i + 2], 0xDD);
        }
    }
    for (std::size_t i = 0; i < 4; ++i) {
        a[i] = _mm512_shuffle_i64x2(c[i], c[i + 4], 0x88);
        a[i + 4] = _mm512_shuffle_i64x2(c[i], c[i + 4], 0xDD);
    }
}

}  // namespace

void acceptUniform(const AcceptJob& job) {
    const Vec p = broadcast(job.p);
    const Vec mask = broadcast((Word{1} << std::bit_width(job.p - 1)) - 1);
    // (a | b) & mask
    const auto join = [&](Vec a, Vec b) { return _mm512_ternarylogic_epi64(a, b, mask, 0xA8); };
    const auto word = [&](std::size_t w) { return load(job.words + ACCEPT_STREAMS * w); };
    Vec candidates[ACCEPT_CANDIDATES + 4];
    for (std::size_t group = 0; group < ACCEPT_WORDS / 3; ++group) {
        const Vec w0 = word(3 * group), w1 = word(3 * group + 1), w2 = word(3 * group + 2);
        candidates[4 * group] = _mm512_and_si512(w0, mask);
        candidates[4 * group + 1] = join(_mm512_srli_epi64(w0, 48), _mm512_slli_epi64(w1, 16));
        candidates[4 * group + 2] = join(_mm512_srli_epi64(w1, 32), _mm512_slli_epi64(w2, 32));
        candidates[4 * group + 3] = _mm512_and_si512(_mm512_srli_epi64(w2, 16), mask);
    }
    for (std::size_t i = ACCEPT_CANDIDATES; i < ACCEPT_CANDIDATES + 4; ++i) candidates[i] = broadcast(~Word{0});
    std::size_t counts[ACCEPT_STREAMS], open[ACCEPT_STREAMS];
    for (std::size_t stream = 0; stream < ACCEPT_STREAMS; ++stream) {
        counts[stream] = job.counts[stream];
        open[stream] = counts[stream] < job.wanted ? ~std::size_t{0} : 0;
    }
    for (std::size_t first = 0; first < ACCEPT_CANDIDATES; first += 8) {
        Vec lines[8];
        for (std::size_t i = 0; i < 8; ++i) lines[i] = candidates[first + i];
        transpose(lines);
        for (std::size_t stream = 0; stream < ACCEPT_STREAMS; ++stream) {
            const __mmask8 good = _mm512_cmplt_epu64_mask(lines[stream], p);
            store(job.rows + stream * job.rowWords + counts[stream], _mm512_maskz_compress_epi64(good, lines[stream]));
            counts[stream] += static_cast<std::size_t>(__builtin_popcount(good)) & open[stream];
        }
    }
    for (std::size_t stream = 0; stream < ACCEPT_STREAMS; ++stream) job.counts[stream] = counts[stream];
}

}  // namespace heml::kernel::ifma
