// Small secret polynomials from 32-byte seeds, in the blocks of the uniform sampler. Exact formats: docs/notes/sampling.md.
//
// ternary: exact, 2 bits each, 3 rejected.   error: centred binomial of 42 bits, sigma = sqrt(21/2) = 3.24; it needs no
// table and no data-dependent branch, and is no narrower than the 3.19 of the security tables.
#pragma once

#include <cstddef>
#include <cstdint>

#include "scheme/keccak.h"
#include "scheme/shake.h"
#include "scheme/uniform-sampler.h"

namespace heml {

constexpr double ERROR_SIGMA = 3.24037034920393;                   // sqrt(21 / 2)
constexpr int ERROR_BOUND = 21;

// n values of {-1, 0, 1}.
void sampleTernary(int8_t* out, size_t n, const Seed& seed, uint64_t domain, KeccakPermute8 permute);
// n values of {-1, 0, 1}, exactly `weight` of them not 0 (uniform positions and signs).
void sampleSparseTernary(int8_t* out, size_t n, size_t weight, const Seed& seed, uint64_t domain);
// n values of [-21, 21].
void sampleError(int8_t* out, size_t n, const Seed& seed, uint64_t domain, KeccakPermute8 permute);

// Signed to canonical residues.
void reduceSmall(uint64_t* out, const int8_t* values, size_t n, uint64_t modulus);

}  // namespace heml
