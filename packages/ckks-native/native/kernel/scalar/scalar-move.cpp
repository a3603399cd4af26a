// Operations that move or look at words without arithmetic.

#include <bit>
#include <cstring>

#include "scalar.h"

namespace heml::kernel::scalar {

namespace {
constexpr Word MASK48 = (Word{1} << 48) - 1;
}  // namespace

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

bool checkedCopy48(std::uint8_t* dst, const std::uint8_t* src, std::size_t n, const Modulus& m) {
    bool inRange = true;
    for (std::size_t i = 0; i < n; ++i) {
        Word value = 0;
        std::memcpy(&value, src + 6 * i, 6);
        inRange &= value < m.value;
    }
    std::memcpy(dst, src, 6 * n);
    return inRange;
}

void acceptUniform(const AcceptJob& job) {
    const Word mask = (Word{1} << std::bit_width(job.p - 1)) - 1;
    for (std::size_t stream = 0; stream < ACCEPT_STREAMS; ++stream) {
        std::size_t count = job.counts[stream];
        if (count >= job.wanted) continue;
        Word* row = job.rows + stream * job.rowWords;
        // written first and counted afterwards: without a branch
        const auto take = [&](Word candidate) {
            row[count] = candidate & mask;
            count += row[count] < job.p;
        };
        for (std::size_t w = 0; w < ACCEPT_WORDS; w += 3) {
            const std::uint64_t* at = job.words + ACCEPT_STREAMS * w + stream;
            const std::uint64_t w0 = at[0], w1 = at[ACCEPT_STREAMS], w2 = at[2 * ACCEPT_STREAMS];
            take(w0 & MASK48);
            take((w0 >> 48 | w1 << 16) & MASK48);
            take((w1 >> 32 | w2 << 32) & MASK48);
            take(w2 >> 16);
        }
        job.counts[stream] = count;
    }
}

}  // namespace heml::kernel::scalar
