// Uniform residues from 32-byte seeds: the public halves of keys and ciphertexts, which whoever has the seed makes again.
// Samples come in blocks of 128, each from its own stream (streams.h), so that a limb can be regenerated alone, in parallel
// and eight streams at a time. Residues below p come from 48-bit words masked to p's length, larger ones rejected (SHAKE128, or
// TurboSHAKE128: these are public). Exact formats: docs/notes/sampling.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernel/kernels.h"
#include "shake.h"

namespace heml {

constexpr size_t SAMPLES_PER_BLOCK = 128;

// What the streams are: as FIPS 202 has it, with 24 rounds, or as RFC 9861, with 12.
enum class Expansion { Shake128, TurboShake128 };

// Residues [begin, end) of the limb of `modulus` (2 <= modulus <= 2^48), written to out[0 ...]; begin is a multiple of
// SAMPLES_PER_BLOCK. Any way of cutting the range gives the same limb.
void sampleUniform(uint64_t* out, size_t begin, size_t end, uint64_t modulus, const Seed& seed, uint64_t domain,
                   Expansion expansion, const kernel::Kernels& kernels);

}  // namespace heml
