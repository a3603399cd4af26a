// Element-wise passes: bound by memory, so each is one short loop, unrolled enough to hide latency.
// A product: head = floor(a b / 2^(bits-1)) by shifting the factors, quotient = floor(head times
// productReciprocal / 2^52), at most two too small; four multiply-adds. With a third term already in
// the low accumulator, mulAdd costs no more than mul.

#include "ifma.h"
#include "vector.h"

namespace heml::kernel::ifma {

namespace {

/// Constants for general products. head = floor((a 2^4) (b 2^(49-bits)) / 2^52) = floor(a b / 2^(bits-1)).
struct Product {
    Prime prime;
    Vec reciprocal;
    __m128i shift;

    HEML_INLINE explicit Product(const Modulus& m)
        : prime(m), reciprocal(broadcast(m.productReciprocal)), shift(_mm_cvtsi32_si128(49 - m.bits)) {}

  /// a, b in [0, p), start in [0, p); out start + a b in [0, 4p), garbage above.
    HEML_INLINE Vec lazy(Vec a, Vec b, Vec start) const {
        const Vec head = maddHigh(zero(), _mm512_slli_epi64(a, 4), _mm512_sll_epi64(b, shift));
        const Vec quotient = maddHigh(zero(), head, reciprocal);
        return maddLow(maddLow(start, a, b), quotient, prime.minusP);
    }

  /// x in [0, 4p), garbage above; out in [0, p).
    HEML_INLINE Vec canonical(Vec x) const { return subtractOnce(subtractOnce(mask52(x), prime.twoP), prime.p); }
};

/// One loop for every operation: body(i) handles the line at i.
template <class Body>
HEML_INLINE void forLines(std::size_t n, Body body) {
    std::size_t i = 0;
    for (; i + 4 * LINE_WORDS <= n; i += 4 * LINE_WORDS) {
#pragma GCC unroll 4
        for (std::size_t k = 0; k < 4; ++k) body(i + k * LINE_WORDS);
    }
    for (; i < n; i += LINE_WORDS) body(i);
}

/// a, b in [0, p); out in [0, p): the smaller of d and d + p as unsigned words.
HEML_INLINE Vec subtract(Vec a, Vec b, Vec p) {
    const Vec difference = sub64(a, b);
    return min64(difference, add64(difference, p));
}

}  // namespace

void add(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    const Vec p = broadcast(m.value);
    forLines(n, [=](std::size_t i) { store(dst + i, subtractOnce(add64(load(a + i), load(b + i)), p)); });
}

void sub(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    const Vec p = broadcast(m.value);
    forLines(n, [=](std::size_t i) { store(dst + i, subtract(load(a + i), load(b + i), p)); });
}

void negate(Word* dst, const Word* a, std::size_t n, const Modulus& m) {
    const Vec p = broadcast(m.value);
    forLines(n, [=](std::size_t i) { store(dst + i, subtract(zero(), load(a + i), p)); });
}

void mul(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    const Product product(m);
    forLines(n, [=](std::size_t i) { store(dst + i, product.canonical(product.lazy(load(a + i), load(b + i), zero()))); });
}

void mulAdd(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    const Product product(m);
    forLines(n, [=](std::size_t i) { store(dst + i, product.canonical(product.lazy(load(a + i), load(b + i), load(dst + i)))); });
}

void mulSub(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    const Product product(m);
    forLines(n, [=](std::size_t i) {
        const Vec value = product.canonical(product.lazy(load(a + i), load(b + i), zero()));
        store(dst + i, subtract(load(dst + i), value, product.prime.p));
    });
}

void addScalar(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m) {
    const Vec p = broadcast(m.value);
    const Vec s = broadcast(scalar);
    forLines(n, [=](std::size_t i) { store(dst + i, subtractOnce(add64(load(a + i), s), p)); });
}

void mulScalar(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m) {
    const Prime prime(m);
    const ShoupFactor s = makeShoup(scalar, m);
    const Vec factor = broadcast(s.factor);
    const Vec quotient = broadcast(s.quotient);
    forLines(n, [=](std::size_t i) { store(dst + i, mulShoup(load(a + i), factor, quotient, prime)); });
}

void mulScalarAdd(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m) {
    const Prime prime(m);
    const ShoupFactor s = makeShoup(scalar, m);
    const Vec factor = broadcast(s.factor);
    const Vec quotient = broadcast(s.quotient);
    forLines(n, [=](std::size_t i) {
        const Vec lazy = mulShoupLazy(load(a + i), factor, quotient, load(dst + i), prime);  // [0, 3p)
        store(dst + i, subtractOnce(subtractOnce(mask52(lazy), prime.twoP), prime.p));
    });
}

void subMulScalar(Word* dst, const Word* a, const Word* b, Word scalar, std::size_t n, const Modulus& m) {
    const Prime prime(m);
    const ShoupFactor s = makeShoup(scalar, m);
    const Vec factor = broadcast(s.factor);
    const Vec quotient = broadcast(s.quotient);
    forLines(n, [=](std::size_t i) {
        const Vec difference = add64(sub64(load(a + i), load(b + i)), prime.p);  // (0, 2p)
        store(dst + i, mulShoup(difference, factor, quotient, prime));
    });
}

void tensorProduct(Word* d0, Word* d1, Word* d2, const Word* a0, const Word* a1, const Word* b0, const Word* b1, std::size_t n,
                   const Modulus& m) {
    const Product product(m);
    forLines(n, [=](std::size_t i) {
        const Vec x0 = load(a0 + i), x1 = load(a1 + i), y0 = load(b0 + i), y1 = load(b1 + i);
        store(d0 + i, product.canonical(product.lazy(x0, y0, zero())));
        const Vec cross = product.canonical(product.lazy(x0, y1, zero()));
        store(d1 + i, product.canonical(product.lazy(x1, y0, cross)));
        store(d2 + i, product.canonical(product.lazy(x1, y1, zero())));
    });
}

void reduceInto(Word* dst, const Word* src, std::size_t n, const Modulus& from, const Modulus& to, Centring centring) {
    const Prime prime(to);
    if (centring == Centring::none) {
        forLines(n, [=](std::size_t i) { store(dst + i, reduce(load(src + i), prime)); });
        return;
    }
    const Vec half = broadcast(from.value / 2);
    const Vec offset = broadcast(negateMod(reduceMod(from.value, to), to));
    forLines(n, [=](std::size_t i) {
        const Vec x = load(src + i);
        const Vec rest = reduce(x, prime);
        const __mmask8 negative = _mm512_cmpgt_epu64_mask(x, half);
        store(dst + i, subtractOnce(_mm512_mask_add_epi64(rest, negative, rest, offset), prime.p));
    });
}

}  // namespace heml::kernel::ifma
