// The transform: against evaluation by definition, against the convolution theorem, and every kernel
// against the scalar one for all degrees, prime sizes and extreme inputs.

#include "kernel-helpers.h"

using namespace heml::test;
using heml::kernel::exponentAt;
using heml::kernel::scalarKernels;
using heml::kernel::supportedKernels;

namespace {

/// One value of the polynomial at zeta^e, by Horner's rule.
Word evaluate(const Limb& coefficients, Word root, Word exponent, Word p) {
    const Word x = powerModulo(root, exponent, p);
    Word value = 0;
    for (std::size_t i = coefficients.size(); i-- > 0;) {
        value = static_cast<Word>((static_cast<Wide>(value) * x + coefficients[i]) % p);
    }
    return value;
}

std::vector<Modulus> testPrimes(int logN) {
    std::vector<Modulus> primes;
    for (int bits : testBits()) {
        const std::vector<Modulus> top = primesBelow(bits, logN, 1);
        primes.insert(primes.end(), top.begin(), top.end());
    }
    primes.push_back(primeAbove(46, logN));
    primes.push_back(primeAbove(48, logN));
    return primes;
}

}  // namespace

TEST(rootIsMinimalAndPrimitive) {
    for (const Modulus& m : {primesBelow(25, 10, 1)[0], primesBelow(48, 10, 1)[0]}) {
        const NttTables tables(m, 10);
        const Word root = tables.root();
        CHECK_EQUAL(powerModulo(root, 1024, m.value), m.value - 1);
        for (Word e = 1; e < 2048; e += 2) CHECK(powerModulo(root, e, m.value) >= root);
    }
}

TEST(forwardEvaluatesAtTheRootsInOrder) {
    Random random(1);
    for (const Kernels* k : supportedKernels()) {
        for (int logN : {10, 11, 12, 13, 14, 15, 16, 17}) {
            const Modulus m = primesBelow(logN % 2 == 0 ? 45 : 48, logN, 1)[0];
            const NttTables tables(m, logN);
            const std::size_t n = tables.degree();
            const Limb coefficients = randomLimb(n, m, random);
            Limb values(n);
            k->nttForward(values.data(), coefficients.data(), tables);
            const std::size_t step = logN <= 10 ? 1 : n / 64 + 1;
            for (std::size_t i = 0; i < n; i += step) {
                CHECK_EQUAL(values[i], evaluate(coefficients, tables.root(), exponentAt(i, logN), m.value));
            }
        }
    }
}

TEST(inverseUndoesForward) {
    Random random(2);
    for (const Kernels* k : supportedKernels()) {
        for (int logN = 10; logN <= 17; ++logN) {
            for (const Modulus& m : testPrimes(logN)) {
                const NttTables tables(m, logN);
                for (Fill fill : ALL_FILLS) {
                    const Limb original = filledLimb(tables.degree(), m, fill, random);
                    Limb limb = original;
                    k->nttForward(limb.data(), limb.data(), tables);
                    k->nttInverse(limb.data(), limb.data(), tables);
                    CHECK_SAME(limb, original, describe(*k, logN, m, "inverse of forward"));
                }
            }
        }
    }
}

TEST(allKernelsAgree) {
    Random random(3);
    for (int logN = 10; logN <= 17; ++logN) {
        for (const Modulus& m : testPrimes(logN)) {
            const NttTables tables(m, logN);
            const std::size_t n = tables.degree();
            const Word factor = random.below(m.value);
            for (Fill fill : ALL_FILLS) {
                const Limb src = filledLimb(n, m, fill, random);
                Limb forward(n), inverse(n), scaled(n);
                scalarKernels().nttForward(forward.data(), src.data(), tables);
                scalarKernels().nttInverse(inverse.data(), src.data(), tables);
                scalarKernels().nttInverseScaled(scaled.data(), src.data(), tables, factor);
                for (const Kernels* k : supportedKernels()) {
                    Limb got(n, 77);
                    k->nttForward(got.data(), src.data(), tables);
                    CHECK_SAME(got, forward, describe(*k, logN, m, "nttForward"));
                    k->nttInverse(got.data(), src.data(), tables);
                    CHECK_SAME(got, inverse, describe(*k, logN, m, "nttInverse"));
                    k->nttInverseScaled(got.data(), src.data(), tables, factor);
                    CHECK_SAME(got, scaled, describe(*k, logN, m, "nttInverseScaled"));
                    got = Limb(src);
                    k->nttForward(got.data(), got.data(), tables);
                    CHECK_SAME(got, forward, describe(*k, logN, m, "nttForward in place"));
                    got = Limb(src);
                    k->nttInverse(got.data(), got.data(), tables);
                    CHECK_SAME(got, inverse, describe(*k, logN, m, "nttInverse in place"));
                }
            }
        }
    }
}

TEST(productOfValuesIsNegacyclicConvolution) {
    Random random(4);
    const int logN = 10;
    const Modulus m = primesBelow(48, logN, 1)[0];
    const NttTables tables(m, logN);
    const std::size_t n = tables.degree();
    const Limb a = randomLimb(n, m, random);
    const Limb b = randomLimb(n, m, random);
    Limb want(n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            const Word product = static_cast<Word>(static_cast<Wide>(a[i]) * b[j] % m.value);
            Word& target = want[(i + j) % n];
            target = i + j < n ? (target + product) % m.value : (target + m.value - product) % m.value;
        }
    }
    for (const Kernels* k : supportedKernels()) {
        Limb x = a, y = b;
        k->nttForward(x.data(), x.data(), tables);
        k->nttForward(y.data(), y.data(), tables);
        k->mul(x.data(), x.data(), y.data(), n, m);
        k->nttInverse(x.data(), x.data(), tables);
        CHECK_SAME(x, want, describe(*k, logN, m, "convolution"));
    }
}

TEST(tablesRefuseWhatTheyCannotServe) {
    const Modulus m = primesBelow(40, 12, 1)[0];
    CHECK_THROWS(NttTables(m, 9));
    CHECK_THROWS(NttTables(m, 9, 1));
    CHECK_THROWS(NttTables(m, 12, 1));
    CHECK_THROWS(NttTables(m, 18));
    CHECK_THROWS(NttTables(Modulus::create((Word{1} << 40) - 87), 12));
    CHECK_THROWS(Modulus::create(0));
    CHECK_THROWS(Modulus::create((Word{1} << 48) + 1));
    CHECK_THROWS(Modulus::create((Word{1} << 40) + 2));
}

TEST_MAIN()
