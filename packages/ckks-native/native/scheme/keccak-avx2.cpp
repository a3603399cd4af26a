// Four states per register, two halves in turn.
#include "vector-files.h"

#ifdef HEML_VECTOR_FILES
#pragma GCC target("avx2")
#include <immintrin.h>

#include "keccak.h"
#include "keccak-rounds.h"

namespace heml {

namespace {

struct Avx2Lanes {
    using Lane = __m256i;
    static Lane exclusiveOr(Lane a, Lane b) { return _mm256_xor_si256(a, b); }
    static Lane exclusiveOr5(Lane a, Lane b, Lane c, Lane d, Lane e) {
        return _mm256_xor_si256(_mm256_xor_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(c, d)), e);
    }
    static Lane chi(Lane a, Lane b, Lane c) { return _mm256_xor_si256(a, _mm256_andnot_si256(b, c)); }
    static Lane broadcast(uint64_t value) { return _mm256_set1_epi64x(static_cast<long long>(value)); }
    template <int BITS>
    static Lane rotate(Lane a) {
        return _mm256_or_si256(_mm256_slli_epi64(a, BITS), _mm256_srli_epi64(a, 64 - BITS));
    }
};

}  // namespace

void keccakPermute8Avx2(uint64_t* states, size_t rounds) {
    for (size_t half = 0; half < KECCAK_LANES; half += 4) {
        __m256i a[KECCAK_WORDS];
        for (size_t w = 0; w < KECCAK_WORDS; ++w)
            a[w] = _mm256_load_si256(reinterpret_cast<const __m256i*>(states + KECCAK_LANES * w + half));
        keccakRounds<Avx2Lanes>(a, rounds);
        for (size_t w = 0; w < KECCAK_WORDS; ++w)
            _mm256_store_si256(reinterpret_cast<__m256i*>(states + KECCAK_LANES * w + half), a[w]);
    }
}

}  // namespace heml
#endif
