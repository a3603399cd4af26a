// Eight SHAKE streams side by side: blocks firstBlock .. firstBlock + 7 of one (seed, domain, modulus, purpose).
// A stream is SHAKE(seed | domain u64 | modulus u64 | block u32 | purpose u32), integers little endian: 56 bytes, so one
// permutation both absorbs and gives the first output. docs/notes/sampling.md is normative.
#pragma once

#include <cstddef>
#include <cstdint>

#include "keccak.h"
#include "shake.h"

namespace heml {

enum class StreamPurpose : uint32_t { Uniform = 1, Ternary = 2, Error = 3, Sparse = 5 };

struct StreamId {
    const Seed& seed;
    uint64_t domain;
    uint64_t modulus;          // 0 where no modulus is involved
    StreamPurpose purpose;
};

class Streams {
public:
    Streams(const StreamId& id, uint32_t firstBlock, size_t rate, KeccakPermute8 permute, size_t rounds = KECCAK_ROUNDS);
    ~Streams();
    Streams(const Streams&) = delete;
    Streams& operator=(const Streams&) = delete;

    void next();                                                              // the following `rate` bytes
    const uint64_t* words(size_t w) const { return state_ + KECCAK_LANES * w; }   // word w of all eight

private:
    alignas(64) uint64_t state_[KECCAK_WORDS * KECCAK_LANES];
    KeccakPermute8 permute_;
    size_t rounds_;
};

}  // namespace heml
