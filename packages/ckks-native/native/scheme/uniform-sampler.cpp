#include "uniform-sampler.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "streams.h"

namespace heml {

namespace {

constexpr uint64_t MASK_48 = (uint64_t{1} << 48) - 1;

// One squeeze of eight SHAKE128 streams holds 28 words of 48 bits each: three 64-bit words make four.
constexpr size_t CANDIDATES = Shake::RATE_128 / 6;

void splitInto48(const Streams& streams, uint64_t mask, uint64_t (&out)[CANDIDATES][KECCAK_LANES]) {
    for (size_t group = 0; group < CANDIDATES / 4; ++group) {
        const uint64_t* w0 = streams.words(3 * group);
        const uint64_t* w1 = streams.words(3 * group + 1);
        const uint64_t* w2 = streams.words(3 * group + 2);
        for (size_t lane = 0; lane < KECCAK_LANES; ++lane) {
            out[4 * group][lane] = w0[lane] & mask;
            out[4 * group + 1][lane] = (w0[lane] >> 48 | w1[lane] << 16) & mask;
            out[4 * group + 2][lane] = (w1[lane] >> 32 | w2[lane] << 32) & mask;
            out[4 * group + 3][lane] = (w2[lane] >> 16) & mask;
        }
    }
}

}  // namespace

void sampleUniform(uint64_t* out, size_t begin, size_t end, uint64_t modulus, const Seed& seed, uint64_t domain,
                   KeccakPermute8 permute) {
    const uint64_t mask = modulus <= 1 ? 0 : MASK_48 >> (std::countl_zero(modulus - 1) - 16);
    const StreamId id{seed, domain, modulus, StreamPurpose::Uniform};
    uint64_t candidates[CANDIDATES][KECCAK_LANES];
    // Appending without a branch writes the candidate first and counts it afterwards: room for one rejected one.
    uint64_t block[KECCAK_LANES][SAMPLES_PER_BLOCK + CANDIDATES];
    for (size_t at = begin; at < end; at += KECCAK_LANES * SAMPLES_PER_BLOCK) {
        const size_t lanes = std::min(KECCAK_LANES, (end - at + SAMPLES_PER_BLOCK - 1) / SAMPLES_PER_BLOCK);
        Streams streams(id, static_cast<uint32_t>(at / SAMPLES_PER_BLOCK), Shake::RATE_128, permute);
        size_t have[KECCAK_LANES] = {};
        for (bool first = true;; first = false) {
            if (!first) streams.next();
            splitInto48(streams, mask, candidates);
            bool full = true;
            for (size_t lane = 0; lane < lanes; ++lane) {
                size_t count = have[lane];
                if (count < SAMPLES_PER_BLOCK) {
                    for (size_t i = 0; i < CANDIDATES; ++i) {
                        block[lane][count] = candidates[i][lane];
                        count += candidates[i][lane] < modulus;
                    }
                    have[lane] = count;
                }
                full = full && count >= SAMPLES_PER_BLOCK;
            }
            if (full) break;
        }
        for (size_t lane = 0; lane < lanes; ++lane) {
            const size_t from = at + lane * SAMPLES_PER_BLOCK;
            std::memcpy(out + (from - begin), block[lane], std::min(SAMPLES_PER_BLOCK, end - from) * sizeof(uint64_t));
        }
    }
}

}  // namespace heml
