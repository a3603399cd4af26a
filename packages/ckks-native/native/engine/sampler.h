// Random polynomials from 32-byte seeds. Samples come in blocks of 128, each from its own stream (streams.h), so that a
// limb can be regenerated alone, in parallel and eight streams at a time. Exact formats: docs/notes/sampling.md.
//
// uniform: residues below p from 48-bit words masked to p's length, larger ones rejected (SHAKE128: these are public).
// ternary: exact, 2 bits each, 3 rejected.   error: centred binomial of 42 bits, sigma = sqrt(21/2) = 3.24; it needs no
// table and no data-dependent branch, and is no narrower than the 3.19 of the security tables.
#pragma once

#include <cstddef>
#include <cstdint>

#include "keccak.h"
#include "shake.h"

namespace heml {

constexpr size_t SAMPLES_PER_BLOCK = 128;
constexpr double ERROR_SIGMA = 3.24037034920393;                   // sqrt(21 / 2)
constexpr int ERROR_BOUND = 21;

// Residues [begin, end) of the limb of `modulus` (2 <= modulus <= 2^48), written to out[0 ...]; begin is a multiple of
// SAMPLES_PER_BLOCK. Any way of cutting the range gives the same limb.
void sampleUniform(uint64_t* out, size_t begin, size_t end, uint64_t modulus, const Seed& seed, uint64_t domain,
                   KeccakPermute8 permute);

// n values of {-1, 0, 1}.
void sampleTernary(int8_t* out, size_t n, const Seed& seed, uint64_t domain, KeccakPermute8 permute);
// n values of {-1, 0, 1}, exactly `weight` of them not 0 (uniform positions and signs).
void sampleSparseTernary(int8_t* out, size_t n, size_t weight, const Seed& seed, uint64_t domain);
// n values of [-21, 21].
void sampleError(int8_t* out, size_t n, const Seed& seed, uint64_t domain, KeccakPermute8 permute);

// Signed to canonical residues.
void reduceSmall(uint64_t* out, const int8_t* values, size_t n, uint64_t modulus);

}  // namespace heml
