// SHAKE128 and SHAKE256 (FIPS 202), incremental, TurboSHAKE128 (RFC 9861, domain 0x1F: the same with half the rounds), and 32-byte seeds from the operating system.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "keccak.h"

namespace heml {

using Seed = std::array<uint8_t, 32>;

class Shake {
public:
    static constexpr size_t RATE_128 = 168;
    static constexpr size_t RATE_256 = 136;

    explicit Shake(size_t rate, size_t rounds = KECCAK_ROUNDS) : rate_(rate), rounds_(rounds) {}
    ~Shake();
    Shake(const Shake&) = default;
    Shake& operator=(const Shake&) = default;

    Shake& absorb(const void* bytes, size_t count);  // any number of times, before the first squeeze
    void squeeze(void* bytes, size_t count);  // any number of times

private:
    uint64_t state_[KECCAK_WORDS] = {};
    size_t rate_;
    size_t rounds_;
    size_t position_ = 0;
    bool squeezing_ = false;
};

// From the operating system's generator; throws Error "Random" if it has none.
Seed randomSeed();

// An independent seed for each (parent, label, number): SHAKE256(parent, label, 0, number as 8 bytes).
Seed deriveSeed(const Seed& parent, const char* label, uint64_t number = 0);

}  // namespace heml
