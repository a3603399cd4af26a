#include "keccak.h"

#include <cstring>

#include "keccak-rounds.h"
#include "vector-files.h"

namespace heml {

namespace {

struct ScalarLanes {
    using Lane = uint64_t;
    static Lane exclusiveOr(Lane a, Lane b) { return a ^ b; }
    static Lane exclusiveOr5(Lane a, Lane b, Lane c, Lane d, Lane e) { return a ^ b ^ c ^ d ^ e; }
    static Lane chi(Lane a, Lane b, Lane c) { return a ^ (~b & c); }
    static Lane broadcast(uint64_t value) { return value; }
    template <int BITS>
    static Lane rotate(Lane a) {
        return (a << BITS) | (a >> (64 - BITS));
    }
};

}  // namespace

void keccakPermute(uint64_t state[KECCAK_WORDS], size_t rounds) {
    uint64_t a[KECCAK_WORDS];
    std::memcpy(a, state, sizeof a);
    keccakRounds<ScalarLanes>(a, rounds);
    std::memcpy(state, a, sizeof a);
    explicit_bzero(a, sizeof a);
}

void keccakPermute8Scalar(uint64_t* states, size_t rounds) {
    uint64_t one[KECCAK_WORDS];
    for (size_t lane = 0; lane < KECCAK_LANES; ++lane) {
        for (size_t w = 0; w < KECCAK_WORDS; ++w) one[w] = states[KECCAK_LANES * w + lane];
        keccakPermute(one, rounds);
        for (size_t w = 0; w < KECCAK_WORDS; ++w) states[KECCAK_LANES * w + lane] = one[w];
    }
    explicit_bzero(one, sizeof one);
}

KeccakPermute8 keccakPermute8For(const char* kernelName) {
#ifdef HEML_VECTOR_FILES
    if (std::strcmp(kernelName, "avx512ifma") == 0) return keccakPermute8Avx512;
    if (std::strcmp(kernelName, "avx2") == 0) return keccakPermute8Avx2;
#endif
    (void)kernelName;
    return keccakPermute8Scalar;
}

}  // namespace heml
