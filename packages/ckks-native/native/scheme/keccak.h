// Keccak-p[1600] on one state and on eight independent ones: 24 rounds are Keccak-f (SHAKE), the last 12 of them TurboSHAKE's. The eight are interleaved: word w of state j is
// states[8 * w + j]. All implementations agree bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heml {

constexpr size_t KECCAK_WORDS = 25;
constexpr size_t KECCAK_LANES = 8;

constexpr size_t KECCAK_ROUNDS = 24;
constexpr size_t TURBO_ROUNDS = 12;

void keccakPermute(uint64_t state[KECCAK_WORDS], size_t rounds = KECCAK_ROUNDS);

using KeccakPermute8 = void (*)(uint64_t* states, size_t rounds);  // KECCAK_WORDS * KECCAK_LANES words, 64-byte aligned

void keccakPermute8Scalar(uint64_t* states, size_t rounds);
void keccakPermute8Avx2(uint64_t* states, size_t rounds);
void keccakPermute8Avx512(uint64_t* states, size_t rounds);

// The implementation that goes with the kernel chosen for arithmetic ("scalar", "avx2", "avx512ifma").
KeccakPermute8 keccakPermute8For(const char* kernelName);

}  // namespace heml
