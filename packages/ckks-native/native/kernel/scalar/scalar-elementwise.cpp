// One word at a time; each line is the definition of the operation.

#include "scalar.h"

namespace heml::kernel::scalar {

void add(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    for (std::size_t i = 0; i < n; ++i) dst[i] = addMod(a[i], b[i], m);
}

void sub(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    for (std::size_t i = 0; i < n; ++i) dst[i] = subMod(a[i], b[i], m);
}

void negate(Word* dst, const Word* a, std::size_t n, const Modulus& m) {
    for (std::size_t i = 0; i < n; ++i) dst[i] = negateMod(a[i], m);
}

void mul(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    for (std::size_t i = 0; i < n; ++i) dst[i] = mulMod(a[i], b[i], m);
}

void mulAdd(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    for (std::size_t i = 0; i < n; ++i) dst[i] = addMod(dst[i], mulMod(a[i], b[i], m), m);
}

void mulSub(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m) {
    for (std::size_t i = 0; i < n; ++i) dst[i] = subMod(dst[i], mulMod(a[i], b[i], m), m);
}

void addScalar(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m) {
    for (std::size_t i = 0; i < n; ++i) dst[i] = addMod(a[i], scalar, m);
}

void mulScalar(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m) {
    const ShoupFactor factor = makeShoup(scalar, m);
    for (std::size_t i = 0; i < n; ++i) dst[i] = mulShoup(a[i], factor, m);
}

void mulScalarAdd(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m) {
    const ShoupFactor factor = makeShoup(scalar, m);
    for (std::size_t i = 0; i < n; ++i) dst[i] = addMod(dst[i], mulShoup(a[i], factor, m), m);
}

void subMulScalar(Word* dst, const Word* a, const Word* b, Word scalar, std::size_t n, const Modulus& m) {
    const ShoupFactor factor = makeShoup(scalar, m);
    for (std::size_t i = 0; i < n; ++i) dst[i] = mulShoup(subMod(a[i], b[i], m), factor, m);
}

void tensorProduct(Word* d0, Word* d1, Word* d2, const Word* a0, const Word* a1, const Word* b0, const Word* b1, std::size_t n,
                   const Modulus& m) {
    for (std::size_t i = 0; i < n; ++i) {
        d0[i] = mulMod(a0[i], b0[i], m);
        d1[i] = addMod(mulMod(a0[i], b1[i], m), mulMod(a1[i], b0[i], m), m);
        d2[i] = mulMod(a1[i], b1[i], m);
    }
}

void reduceInto(Word* dst, const Word* src, std::size_t n, const Modulus& from, const Modulus& to, Centring centring) {
    if (centring == Centring::none) {
        for (std::size_t i = 0; i < n; ++i) dst[i] = reduceMod(src[i], to);
        return;
    }
    const Word half = from.value / 2;
    const Word offset = negateMod(reduceMod(from.value, to), to);  // -from modulo to
    for (std::size_t i = 0; i < n; ++i) {
        const Word rest = reduceMod(src[i], to);
        dst[i] = src[i] > half ? addMod(rest, offset, to) : rest;
    }
}

}  // namespace heml::kernel::scalar
