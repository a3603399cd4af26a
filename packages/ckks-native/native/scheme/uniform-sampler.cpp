#include "uniform-sampler.h"

#include <algorithm>
#include <cstring>

#include "streams.h"

namespace heml {

static_assert(kernel::ACCEPT_STREAMS == KECCAK_LANES && kernel::ACCEPT_WORDS * 8 == Shake::RATE_128);

void sampleUniform(uint64_t* out, size_t begin, size_t end, uint64_t modulus, const Seed& seed, uint64_t domain,
                   Expansion expansion, const kernel::Kernels& kernels) {
    constexpr size_t ROW = SAMPLES_PER_BLOCK + kernel::AcceptJob::ROOM;
    const size_t rounds = expansion == Expansion::TurboShake128 ? TURBO_ROUNDS : KECCAK_ROUNDS;
    const KeccakPermute8 permute = keccakPermute8For(kernels.name);
    const StreamId id{seed, domain, modulus, StreamPurpose::Uniform};
    alignas(64) uint64_t rows[KECCAK_LANES * ROW];
    for (size_t at = begin; at < end; at += KECCAK_LANES * SAMPLES_PER_BLOCK) {
        Streams streams(id, static_cast<uint32_t>(at / SAMPLES_PER_BLOCK), Shake::RATE_128, permute, rounds);
        size_t have[KECCAK_LANES] = {};
        const kernel::AcceptJob job{streams.words(0), rows, ROW, have, SAMPLES_PER_BLOCK, modulus};
        for (kernels.acceptUniform(job); *std::min_element(have, have + KECCAK_LANES) < SAMPLES_PER_BLOCK;) {
            streams.next();
            kernels.acceptUniform(job);
        }
        for (size_t lane = 0, from = at; lane < KECCAK_LANES && from < end; ++lane, from += SAMPLES_PER_BLOCK) {
            std::memcpy(out + (from - begin), rows + lane * ROW, std::min(SAMPLES_PER_BLOCK, end - from) * sizeof(uint64_t));
        }
    }
}

}  // namespace heml
