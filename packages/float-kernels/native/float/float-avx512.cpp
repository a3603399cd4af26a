// AVX-512: tiles of 12 x 32, twenty-four sums in thirty-two registers.
#include <immintrin.h>

#include <cstddef>

namespace heml::f32 {

namespace {

struct Vec {
    using T = __m512;
    static constexpr size_t WIDTH = 16, ROWS = 12, DOT_ROWS = 6, DOT_TERMS = 4;

    static T zero() { return _mm512_setzero_ps(); }
    static T broadcast(float x) { return _mm512_set1_ps(x); }
    static T load(const float* from) { return _mm512_loadu_ps(from); }
    static void store(float* to, T x) { _mm512_storeu_ps(to, x); }
    static __mmask16 mask(size_t count) { return static_cast<__mmask16>((1u << count) - 1); }
    static T loadPart(const float* from, size_t count) { return _mm512_maskz_loadu_ps(mask(count), from); }
    static void storePart(float* to, size_t count, T x) { _mm512_mask_storeu_ps(to, mask(count), x); }
    static T add(T a, T b) { return _mm512_add_ps(a, b); }
    static T multiply(T a, T b) { return _mm512_mul_ps(a, b); }
    static float fold(T x) {
        const __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1));
        const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), high);
        const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
        const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
    }
    static T multiplyAdd(T a, T b, T c) { return _mm512_fmadd_ps(a, b, c); }
};

}  // namespace

}  // namespace heml::f32

#include "body.h"

namespace heml::f32 {

const Kernels& avx512Kernels() {
    static const Kernels table = tableOf("avx512", avx512Loops());
    return table;
}

}  // namespace heml::f32
