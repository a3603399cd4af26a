#include "sampler.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/errors.h"
#include "scheme/streams.h"

namespace heml {

void sampleTernary(int8_t* out, size_t n, const Seed& seed, uint64_t domain, KeccakPermute8 permute) {
    const StreamId id{seed, domain, 0, StreamPurpose::Ternary};
    constexpr size_t WORDS = Shake::RATE_256 / 8;
    for (size_t at = 0; at < n; at += KECCAK_LANES * SAMPLES_PER_BLOCK) {
        Streams streams(id, static_cast<uint32_t>(at / SAMPLES_PER_BLOCK), Shake::RATE_256, permute);
        size_t have[KECCAK_LANES] = {};
        for (bool first = true;; first = false) {
            if (!first) streams.next();
            size_t least = SAMPLES_PER_BLOCK;
            for (size_t lane = 0; lane < KECCAK_LANES; ++lane) {
                const size_t from = at + lane * SAMPLES_PER_BLOCK;
                const size_t wanted = from < n ? std::min(SAMPLES_PER_BLOCK, n - from) : 0;
                for (size_t i = 0; i < 32 * WORDS && have[lane] < wanted; ++i) {
                    const unsigned pair = (streams.words(i / 32)[lane] >> (2 * (i % 32))) & 3;
                    out[from + have[lane]] = static_cast<int8_t>(int(pair & 1) - int(pair >> 1));
                    have[lane] += pair != 3;
                }
                if (wanted != 0 && have[lane] < wanted) least = 0;
            }
            if (least != 0) break;
        }
    }
}

void sampleSparseTernary(int8_t* out, size_t n, size_t weight, const Seed& seed, uint64_t domain) {
    if (weight > n || !std::has_single_bit(n)) {
        throw InvalidArgumentError("sampleSparseTernary: wanted a weight of at most n, a power of two");
    }
    const uint64_t header[3] = {domain, 0, uint64_t{static_cast<uint32_t>(StreamPurpose::Sparse)} << 32};
    Shake stream(Shake::RATE_256);
    stream.absorb(seed.data(), seed.size()).absorb(header, sizeof header);
    std::memset(out, 0, n);
    for (size_t placed = 0; placed < weight;) {
        uint32_t word;
        stream.squeeze(&word, sizeof word);
        const size_t position = word & (n - 1);                    // bits 0 .. 30: the position; bit 31: the sign
        if (out[position] != 0) continue;
        out[position] = word >> 31 ? -1 : 1;
        ++placed;
    }
}

void sampleError(int8_t* out, size_t n, const Seed& seed, uint64_t domain, KeccakPermute8 permute) {
    const StreamId id{seed, domain, 0, StreamPurpose::Error};
    constexpr size_t WORDS = Shake::RATE_256 / 8;
    constexpr uint64_t MASK = (uint64_t{1} << ERROR_BOUND) - 1;
    for (size_t at = 0; at < n; at += KECCAK_LANES * SAMPLES_PER_BLOCK) {
        Streams streams(id, static_cast<uint32_t>(at / SAMPLES_PER_BLOCK), Shake::RATE_256, permute);
        for (size_t i = 0; i < SAMPLES_PER_BLOCK; ++i) {
            if (i != 0 && i % WORDS == 0) streams.next();
            const uint64_t* words = streams.words(i % WORDS);
            for (size_t lane = 0; lane < KECCAK_LANES; ++lane) {
                const size_t to = at + lane * SAMPLES_PER_BLOCK + i;
                if (to >= n) break;
                out[to] =
                    static_cast<int8_t>(std::popcount(words[lane] & MASK) - std::popcount((words[lane] >> ERROR_BOUND) & MASK));
            }
        }
    }
}

void reduceSmall(uint64_t* out, const int8_t* values, size_t n, uint64_t modulus) {
    for (size_t i = 0; i < n; ++i) {
        const int64_t value = values[i];
        out[i] = static_cast<uint64_t>(value + (static_cast<int64_t>(modulus) & (value >> 63)));
    }
}

}  // namespace heml
