// Permutations, packing, range checks, rejection sampling, and the choice of the kernel.

#include "kernel-helpers.h"

using namespace heml::test;
using heml::kernel::AutomorphismTable;
using heml::kernel::scalarKernels;
using heml::kernel::supportedKernels;

namespace {

/// a(X) -> a(X^g) on coefficients.
Limb automorphismOfCoefficients(const Limb& a, Word g, Word p) {
    const std::size_t n = a.size();
    Limb out(n);
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t at = i * g % (2 * n);
        if (at < n) {
            out[at] = a[i];
        } else {
            out[at - n] = (p - a[i]) % p;
        }
    }
    return out;
}

std::vector<Word> galoisElements(int logN, Random& random) {
    const Word twoN = Word{2} << logN;
    std::vector<Word> elements = {1, 3, 5, 9, twoN - 1, twoN - 3, twoN / 2 + 1, twoN / 2 - 1};
    for (int i = 0; i < 12; ++i) elements.push_back(random.below(twoN) | 1);
    return elements;
}

}  // namespace

TEST(permutationIsTheAutomorphism) {
    Random random(21);
    for (int logN : {10, 11, 12, 14, 17}) {
        const Modulus m = primesBelow(45, logN, 1)[0];
        const NttTables tables(m, logN);
        const std::size_t n = tables.degree();
        const Limb coefficients = randomLimb(n, m, random);
        Limb values(n);
        scalarKernels().nttForward(values.data(), coefficients.data(), tables);
        for (Word g : galoisElements(logN, random)) {
            const AutomorphismTable table(logN, g);
            Limb want = automorphismOfCoefficients(coefficients, g, m.value);
            scalarKernels().nttForward(want.data(), want.data(), tables);
            for (const Kernels* k : supportedKernels()) {
                Limb got(n);
                const std::size_t cut = n / 4 + 8;
                k->permute(got.data(), values.data(), table, cut, n);
                k->permute(got.data(), values.data(), table, 0, cut);
                CHECK_SAME(got, want, describe(*k, logN, m, "permute"));
            }
            const Word twoN = Word{2} << logN;
            const Word power = heml::kernel::powerOfGenerator(table.exponent(), logN);
            CHECK_EQUAL(table.flipsSign() ? twoN - power : power, g);
        }
    }
}

TEST(automorphismRefusesEvenAndLargeElements) {
    CHECK_THROWS(AutomorphismTable(12, 2));
    CHECK_THROWS(AutomorphismTable(12, 8193));
    CHECK_THROWS(AutomorphismTable(9, 3));
}

namespace {

void checkPacking(const char* name, std::size_t size, void (*pack)(std::uint8_t*, const Word*, std::size_t),
                  void (*unpack)(Word*, const std::uint8_t*, std::size_t)) {
    Random random(22);
    for (std::size_t n : {8, 16, 120, 1024}) {
        Limb words(n), back(n);
        for (std::size_t i = 0; i < n; ++i) words[i] = random.next() >> (64 - 8 * size);
        words[0] = (Word{1} << (8 * size)) - 1;
        std::vector<std::uint8_t> bytes(size * n + 1, 0xAA);  // exactly size n are written
        pack(bytes.data(), words.data(), n);
        for (std::size_t i = 0; i < size * n; ++i)
            CHECK_EQUAL(+bytes[i], +static_cast<std::uint8_t>(words[i / size] >> (8 * (i % size))));
        CHECK_EQUAL(+bytes[size * n], 0xAA);
        unpack(back.data(), bytes.data(), n);
        CHECK_SAME(back, words, std::string(name) + " unpack to " + std::to_string(size));
    }
}

}  // namespace

TEST(packingIsReversibleAndLittleEndian) {
    for (const Kernels* k : supportedKernels()) {
        checkPacking(k->name, 6, k->pack48, k->unpack48);
        checkPacking(k->name, 4, k->pack32, k->unpack32);
    }
}

TEST(rangeCheckSeesEveryPosition) {
    Random random(23);
    for (const Kernels* k : supportedKernels()) {
        for (const Modulus& m : {primesBelow(25, 10, 1)[0], primesBelow(48, 10, 1)[0]}) {
            const std::size_t n = 128;
            Limb limb = filledLimb(n, m, Fill::largest, random);
            CHECK(k->checkRange(limb.data(), n, m));
            for (std::size_t i = 0; i < n; ++i) {
                for (Word bad : {m.value, m.value + 1, Word{1} << 52, Word{1} << 63, ~Word{0}}) {
                    limb[i] = bad;
                    CHECK(!k->checkRange(limb.data(), n, m));
                }
                limb[i] = m.value - 1;
            }
        }
    }
}

TEST(rejectionSamplingIsTheSameEverywhere) {
    Random random(24);
    for (const Modulus& m : {primesBelow(30, 10, 1)[0], primeAbove(48, 10), primesBelow(48, 10, 1)[0]}) {
        for (std::size_t count : {0, 1, 7, 8, 63, 1000}) {
            for (std::size_t capacity : {0, 1, 9, 400, 2000}) {
                std::vector<std::uint64_t> words(count);
                for (auto& w : words) w = random.next();
                std::vector<Word> want(capacity + 8, 5);
                std::size_t wantUsed = 0;
                const std::size_t accepted =
                    scalarKernels().acceptUniform(want.data(), capacity, words.data(), count, &wantUsed, m);
                for (std::size_t i = 0; i < accepted; ++i) CHECK(want[i] < m.value);
                for (const Kernels* k : supportedKernels()) {
                    std::vector<Word> got(capacity + 8, 5);
                    std::size_t used = 0;
                    CHECK_EQUAL(k->acceptUniform(got.data(), capacity, words.data(), count, &used, m), accepted);
                    CHECK_EQUAL(used, wantUsed);
                    for (std::size_t i = 0; i < accepted; ++i) CHECK_EQUAL(got[i], want[i]);
                    for (std::size_t i = capacity; i < capacity + 8; ++i) CHECK_EQUAL(got[i], Word{5});
                }
            }
        }
    }
}

TEST(forcedKernelIsTheOneThatRuns) {
    const char* forced = std::getenv("HE_ML_KERNEL");
    const auto all = supportedKernels();
    for (const Kernels* k : all) CHECK(heml::kernel::findKernels(k->name) == k);
    CHECK(heml::kernel::findKernels("no such kernel") == nullptr);
    if (forced == nullptr || *forced == '\0') {
        CHECK(&heml::kernel::activeKernels() == all.first[all.count - 1]);
    } else if (heml::kernel::findKernels(forced) == nullptr) {
        CHECK_THROWS(heml::kernel::activeKernels());
    } else {
        CHECK_EQUAL(std::string(heml::kernel::activeKernels().name), std::string(forced));
    }
}

TEST_MAIN()
