// AVX2 with fused multiply-add: tiles of 6 x 16, twelve sums in sixteen registers.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace heml::f32 {

namespace {

struct Vec {
    using T = __m256;
    static constexpr size_t WIDTH = 8, ROWS = 6, DOT_ROWS = 3, DOT_TERMS = 2;

    static T zero() { return _mm256_setzero_ps(); }
    static T broadcast(float x) { return _mm256_set1_ps(x); }
    static T load(const float* from) { return _mm256_loadu_ps(from); }
    static void store(float* to, T x) { _mm256_storeu_ps(to, x); }
    static __m256i mask(size_t count) {
        const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(count)), lanes);
    }
    static T loadPart(const float* from, size_t count) { return _mm256_maskload_ps(from, mask(count)); }
    static void storePart(float* to, size_t count, T x) { _mm256_maskstore_ps(to, mask(count), x); }
    static T add(T a, T b) { return _mm256_add_ps(a, b); }
    static T multiply(T a, T b) { return _mm256_mul_ps(a, b); }
    static float fold(T x) {
        const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
        const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
    }
    static T multiplyAdd(T a, T b, T c) { return _mm256_fmadd_ps(a, b, c); }
};

}  // namespace

}  // namespace heml::f32

#include "body.h"

namespace heml::f32 {

const Kernels& avx2Kernels() {
    static const Kernels table = tableOf("avx2", avx2Loops());
    return table;
}

}  // namespace heml::f32
