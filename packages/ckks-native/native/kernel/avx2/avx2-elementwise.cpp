// Element-wise passes: sums on words, products on doubles.

#include "avx2.h"
#include "vector.h"

namespace heml::kernel::avx2 {

namespace {

template <class Body>
HEML_INLINE void forLanes(std::size_t n, Body body) {
    std::size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        body(i);
        body(i + LANES);
    }
}

HEML_INLINE Real realAt(const Word* from) { return toReal(load(from)); }

/// a, b in [0, p); out in [0, p).
HEML_INLINE Int addWords(Int a, Int b, Int p) { return subtractOnce(_mm256_add_epi64(a, b), p); }

/// a, b in [0, p); out in [0, p).
HEML_INLINE Int subtractWords(Int a, Int b, Int p) {
    const Int difference = _mm256_sub_epi64(a, b);
    return _mm256_add_epi64(difference, _mm256_and_si256(_mm256_cmpgt_epi64(b, a), p));
}

}  // namespace

void add(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    const Int p = broadcast(m.value);
    forLanes(n, [=](std::size_t i) { store(dst + i, addWords(load(a + i), load(b + i), p)); });
}

void sub(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    const Int p = broadcast(m.value);
    forLanes(n, [=](std::size_t i) { store(dst + i, subtractWords(load(a + i), load(b + i), p)); });
}

void negate(Word* dst, const Word* a, std::size_t n, const Modulus& m) {
    const Int p = broadcast(m.value);
    forLanes(n, [=](std::size_t i) { store(dst + i, subtractWords(_mm256_setzero_si256(), load(a + i), p)); });
}

void mul(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    const Prime prime(m);
    forLanes(n, [=](std::size_t i) { store(dst + i, canonical(mulSigned(realAt(a + i), realAt(b + i), prime), prime)); });
}

void mulAdd(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    const Prime prime(m);
    forLanes(n, [=](std::size_t i) {
        const Real product = mulSigned(realAt(a + i), realAt(b + i), prime);
        store(dst + i, reduce(_mm256_add_pd(realAt(dst + i), product), prime));
    });
}

void mulSub(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    const Prime prime(m);
    forLanes(n, [=](std::size_t i) {
        const Real product = mulSigned(realAt(a + i), realAt(b + i), prime);
        store(dst + i, reduce(_mm256_sub_pd(realAt(dst + i), product), prime));
    });
}

void addScalar(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m) {
    const Int p = broadcast(m.value), s = broadcast(scalar);
    forLanes(n, [=](std::size_t i) { store(dst + i, addWords(load(a + i), s, p)); });
}

void mulScalar(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m) {
    const Prime prime(m);
    const Factor factor = makeFactor(makeShoup(scalar, m));
    forLanes(n, [=](std::size_t i) { store(dst + i, canonical(mulFixed(realAt(a + i), factor, prime), prime)); });
}

void mulScalarAdd(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m) {
    const Prime prime(m);
    const Factor factor = makeFactor(makeShoup(scalar, m));
    forLanes(n, [=](std::size_t i) {
        store(dst + i, reduce(_mm256_add_pd(realAt(dst + i), mulFixed(realAt(a + i), factor, prime)), prime));
    });
}

void subMulScalar(Word* dst, const Word* a, const Word* b, Word scalar, std::size_t n, const Modulus& m) {
    const Prime prime(m);
    const Factor factor = makeFactor(makeShoup(scalar, m));
    forLanes(n, [=](std::size_t i) {
        const Real difference = _mm256_sub_pd(realAt(a + i), realAt(b + i));
        store(dst + i, canonical(mulFixed(difference, factor, prime), prime));
    });
}

void tensorProduct(Word* d0, Word* d1, Word* d2, const Word* a0, const Word* a1, const Word* b0, const Word* b1, std::size_t n,
                   const Modulus& m) {
    const Prime prime(m);
    forLanes(n, [=](std::size_t i) {
        const Real x0 = realAt(a0 + i), x1 = realAt(a1 + i), y0 = realAt(b0 + i), y1 = realAt(b1 + i);
        store(d0 + i, canonical(mulSigned(x0, y0, prime), prime));
        store(d1 + i, reduce(_mm256_add_pd(mulSigned(x0, y1, prime), mulSigned(x1, y0, prime)), prime));
        store(d2 + i, canonical(mulSigned(x1, y1, prime), prime));
    });
}

void reduceInto(Word* dst, const Word* src, std::size_t n, const Modulus& from, const Modulus& to, Centring centring) {
    const Prime prime(to);
    const Real half = centring == Centring::centred ? real(static_cast<double>(from.value / 2)) : real(4503599627370496.0);
    const Real whole = real(static_cast<double>(from.value));
    forLanes(n, [=](std::size_t i) {
        const Real x = realAt(src + i);
        const Real negative = _mm256_cmp_pd(x, half, _CMP_GT_OQ);
        store(dst + i, reduce(_mm256_sub_pd(x, _mm256_and_pd(negative, whole)), prime));
    });
}

}  // namespace heml::kernel::avx2
