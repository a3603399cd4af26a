#include "streams.h"

#include <cstring>

namespace heml {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stream words are read as they lie in memory");

Streams::Streams(const StreamId& id, uint32_t firstBlock, size_t rate, KeccakPermute8 permute, size_t rounds)
    : permute_(permute), rounds_(rounds) {
    uint64_t input[8];
    std::memcpy(input, id.seed.data(), 32);
    input[4] = id.domain;
    input[5] = id.modulus;
    input[7] = 0x1F;                                               // SHAKE's suffix and the first padding bit
    std::memset(state_, 0, sizeof state_);
    for (size_t lane = 0; lane < KECCAK_LANES; ++lane) {
        input[6] = uint32_t(firstBlock + lane) | uint64_t{static_cast<uint32_t>(id.purpose)} << 32;
        for (size_t w = 0; w < 8; ++w) state_[KECCAK_LANES * w + lane] = input[w];
        state_[KECCAK_LANES * (rate / 8 - 1) + lane] ^= uint64_t{0x80} << 56;
    }
    explicit_bzero(input, sizeof input);
    permute_(state_, rounds_);
}

Streams::~Streams() { explicit_bzero(state_, sizeof state_); }

void Streams::next() { permute_(state_, rounds_); }

}  // namespace heml
