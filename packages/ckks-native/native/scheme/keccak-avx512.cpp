// Eight states per register: rotation and the three-operand logic of theta and chi are single instructions.
#include "vector-files.h"

#ifdef HEML_VECTOR_FILES
#pragma GCC target("avx512f")
#pragma GCC diagnostic ignored "-Wuninitialized"   // false alarms from the header's own _mm512_undefined
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include "keccak.h"
#include "keccak-rounds.h"

namespace heml {

namespace {

struct Avx512Lanes {
    using Lane = __m512i;
    static Lane exclusiveOr(Lane a, Lane b) { return _mm512_xor_si512(a, b); }
    static Lane exclusiveOr5(Lane a, Lane b, Lane c, Lane d, Lane e) {
        return _mm512_ternarylogic_epi64(_mm512_ternarylogic_epi64(a, b, c, 0x96), d, e, 0x96);
    }
    static Lane chi(Lane a, Lane b, Lane c) { return _mm512_ternarylogic_epi64(a, b, c, 0xD2); }
    static Lane broadcast(uint64_t value) { return _mm512_set1_epi64(static_cast<long long>(value)); }
    template <int BITS>
    static Lane rotate(Lane a) {
        return _mm512_rol_epi64(a, BITS);
    }
};

}  // namespace

void keccakPermute8Avx512(uint64_t* states, size_t rounds) {
    __m512i a[KECCAK_WORDS];
    // unrolled: a loop becomes a string copy to the stack and back, a tenth of the time
#pragma GCC unroll 25
    for (size_t w = 0; w < KECCAK_WORDS; ++w) a[w] = _mm512_load_si512(states + KECCAK_LANES * w);
    keccakRounds<Avx512Lanes>(a, rounds);
#pragma GCC unroll 25
    for (size_t w = 0; w < KECCAK_WORDS; ++w) _mm512_store_si512(states + KECCAK_LANES * w, a[w]);
}

}  // namespace heml
#endif
