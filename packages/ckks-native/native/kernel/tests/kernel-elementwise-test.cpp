// Element-wise operations: the scalar ones against 128-bit division, the others against the scalar ones.

#include "kernel-helpers.h"

using namespace heml::test;
using heml::kernel::Centring;
using heml::kernel::scalarKernels;
using heml::kernel::supportedKernels;

namespace {

constexpr std::size_t SIZES[] = {8, 24, 1024, 4096 + 40};

std::vector<Modulus> elementwisePrimes() {
    std::vector<Modulus> primes;
    for (int bits : testBits()) primes.push_back(primesBelow(bits, 10, 1)[0]);
    for (int bits : testBits()) primes.push_back(primeAbove(bits, 10));
    return primes;
}

Word multiply(Word a, Word b, Word p) { return static_cast<Word>(static_cast<Wide>(a) * b % p); }

struct Inputs {
    Limb a, b, c, d;
    Word scalar;
};

Inputs makeInputs(std::size_t n, const Modulus& m, Fill fill, Random& random) {
    const Word scalars[] = {0, 1, m.value - 1, random.below(m.value)};
    return {filledLimb(n, m, fill, random), filledLimb(n, m, fill == Fill::zero ? Fill::largest : fill, random),
            filledLimb(n, m, fill, random), filledLimb(n, m, Fill::mixed, random), scalars[random.below(4)]};
}

template <class Body>
void forInputs(std::uint64_t stream, Body body) {
    Random random(stream);
    for (const Modulus& m : elementwisePrimes()) {
        for (std::size_t n : SIZES) {
            for (Fill fill : ALL_FILLS) body(makeInputs(n, m, fill, random), n, m);
        }
    }
}

/// Every operation with its definition.
template <class Check>
void forOperations(const Kernels& k, const Inputs& in, std::size_t n, const Modulus& m, Check check) {
    const Word p = m.value;
    const Word s = in.scalar;
    Limb got = in.c;
    k.add(got.data(), in.a.data(), in.b.data(), n, m);
    check("add", got, [&](std::size_t i) { return (in.a[i] + in.b[i]) % p; });
    k.sub(got.data(), in.a.data(), in.b.data(), n, m);
    check("sub", got, [&](std::size_t i) { return (in.a[i] + p - in.b[i]) % p; });
    k.negate(got.data(), in.a.data(), n, m);
    check("negate", got, [&](std::size_t i) { return (p - in.a[i]) % p; });
    k.mul(got.data(), in.a.data(), in.b.data(), n, m);
    check("mul", got, [&](std::size_t i) { return multiply(in.a[i], in.b[i], p); });
    got = Limb(in.c);
    k.mulAdd(got.data(), in.a.data(), in.b.data(), n, m);
    check("mulAdd", got, [&](std::size_t i) { return (in.c[i] + multiply(in.a[i], in.b[i], p)) % p; });
    got = Limb(in.c);
    k.mulSub(got.data(), in.a.data(), in.b.data(), n, m);
    check("mulSub", got, [&](std::size_t i) { return (in.c[i] + p - multiply(in.a[i], in.b[i], p)) % p; });
    k.addScalar(got.data(), in.a.data(), s, n, m);
    check("addScalar", got, [&](std::size_t i) { return (in.a[i] + s) % p; });
    k.mulScalar(got.data(), in.a.data(), s, n, m);
    check("mulScalar", got, [&](std::size_t i) { return multiply(in.a[i], s, p); });
    got = Limb(in.c);
    k.mulScalarAdd(got.data(), in.a.data(), s, n, m);
    check("mulScalarAdd", got, [&](std::size_t i) { return (in.c[i] + multiply(in.a[i], s, p)) % p; });
    k.subMulScalar(got.data(), in.a.data(), in.b.data(), s, n, m);
    check("subMulScalar", got, [&](std::size_t i) { return multiply((in.a[i] + p - in.b[i]) % p, s, p); });
    Limb d0(n), d1(n), d2(n);
    k.tensorProduct(d0.data(), d1.data(), d2.data(), in.a.data(), in.b.data(), in.c.data(), in.d.data(), n, m);
    check("tensorProduct 0", d0, [&](std::size_t i) { return multiply(in.a[i], in.c[i], p); });
    check("tensorProduct 1", d1,
          [&](std::size_t i) { return (multiply(in.a[i], in.d[i], p) + multiply(in.b[i], in.c[i], p)) % p; });
    check("tensorProduct 2", d2, [&](std::size_t i) { return multiply(in.b[i], in.d[i], p); });
}

}  // namespace

TEST(operationsMatchTheirDefinition) {
    for (const Kernels* k : supportedKernels()) {
        forInputs(11, [&](const Inputs& in, std::size_t n, const Modulus& m) {
            forOperations(*k, in, n, m, [&](const char* name, const Limb& got, auto definition) {
                Limb want(n);
                for (std::size_t i = 0; i < n; ++i) want[i] = definition(i);
                CHECK_SAME(got, want, describe(*k, 0, m, name));
            });
        });
    }
}

TEST(operationsWorkInPlace) {
    for (const Kernels* k : supportedKernels()) {
        forInputs(12, [&](const Inputs& in, std::size_t n, const Modulus& m) {
            Limb want(n), got = in.a;
            k->mul(want.data(), in.a.data(), in.a.data(), n, m);
            k->mul(got.data(), got.data(), got.data(), n, m);
            CHECK_SAME(got, want, describe(*k, 0, m, "mul in place"));
            got = Limb(in.b);
            k->sub(want.data(), in.a.data(), in.b.data(), n, m);
            k->sub(got.data(), in.a.data(), got.data(), n, m);
            CHECK_SAME(got, want, describe(*k, 0, m, "sub in place"));
            got = Limb(in.b);
            k->subMulScalar(want.data(), in.a.data(), in.b.data(), in.scalar, n, m);
            k->subMulScalar(got.data(), in.a.data(), got.data(), in.scalar, n, m);
            CHECK_SAME(got, want, describe(*k, 0, m, "subMulScalar in place"));
        });
    }
}

TEST(reduceIntoAnotherPrime) {
    Random random(13);
    const std::vector<Modulus> primes = elementwisePrimes();
    for (const Kernels* k : supportedKernels()) {
        for (const Modulus& from : primes) {
            for (const Modulus& to : primes) {
                const std::size_t n = 64;
                Limb src = filledLimb(n, from, Fill::mixed, random);
                src[3] = from.value / 2 + 1;
                src[4] = random.below(from.value);
                Limb plain(n), centred(n), got(n);
                for (std::size_t i = 0; i < n; ++i) {
                    plain[i] = src[i] % to.value;
                    const bool negative = src[i] > from.value / 2;
                    centred[i] = negative ? (to.value - (from.value - src[i]) % to.value) % to.value : plain[i];
                }
                k->reduceInto(got.data(), src.data(), n, from, to, Centring::none);
                CHECK_SAME(got, plain, describe(*k, 0, to, "reduceInto"));
                k->reduceInto(got.data(), src.data(), n, from, to, Centring::centred);
                CHECK_SAME(got, centred, describe(*k, 0, to, "reduceInto centred"));
            }
        }
    }
}

TEST(modulusArithmetic) {
    Random random(14);
    for (const Modulus& m : elementwisePrimes()) {
        for (int i = 0; i < 2000; ++i) {
            const Word a = i < 4 ? m.value - 1 - static_cast<Word>(i) : random.below(m.value);
            const Word b = i < 4 ? m.value - 1 : random.below(m.value);
            CHECK_EQUAL(mulMod(a, b, m), multiply(a, b, m.value));
            const heml::kernel::ShoupFactor w = makeShoup(b, m);
            CHECK_EQUAL(w.quotient, static_cast<Word>((static_cast<Wide>(b) << 52) / m.value));
            if (b != 0) CHECK_EQUAL(shoupFactorOf(w.quotient, m), b);
            const Word wide = i < 4 ? heml::kernel::MASK52 : random.next() & heml::kernel::MASK52;
            CHECK_EQUAL(mulShoup(wide, w, m), multiply(wide % m.value, b, m.value));
            CHECK_EQUAL(reduceMod(wide, m), wide % m.value);
            const Wide huge = (static_cast<Wide>(wide) << 52) | (random.next() & heml::kernel::MASK52);
            CHECK_EQUAL(reduceWideMod(huge, m), static_cast<Word>(huge % m.value));
            if (a != 0) CHECK_EQUAL(mulMod(a, inverseMod(a, m), m), Word{1});
        }
    }
}

TEST_MAIN()
