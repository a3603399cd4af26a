// Permutations, packing, checked copies, rejection sampling, and the choice of the kernel.

#include <algorithm>
#include <iterator>

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

TEST(checkedCopySeesEveryPosition) {
    Random random(23);
    for (const Kernels* k : supportedKernels()) {
        for (const Modulus& m : {primesBelow(25, 10, 1)[0], primesBelow(48, 10, 1)[0]}) {
            const std::size_t n = 128;
            Limb limb = randomLimb(n, m, random);
            std::vector<std::uint8_t> from(6 * n), to(6 * n + 1);
            const auto copies = [&] {
                scalarKernels().pack48(from.data(), limb.data(), n);
                std::fill(to.begin(), to.end(), std::uint8_t{0xAA});
                const bool inRange = k->checkedCopy48(to.data(), from.data(), n, m);
                CHECK(std::equal(from.begin(), from.end(), to.begin()));  // whatever was found
                CHECK_EQUAL(+to[6 * n], 0xAA);
                return inRange;
            };
            CHECK(copies());
            for (std::size_t i = 0; i < n; ++i) {
                for (Word bad : {m.value, m.value + 1, (Word{1} << 48) - 1}) {
                    limb[i] = bad;
                    CHECK(!copies());
                }
                limb[i] = m.value - 1;
            }
            CHECK(copies());
        }
    }
}

namespace {

/// The 48-bit words of one stream that are below p, by the definition: bit for bit.
std::vector<Word> acceptedOf(const std::vector<std::uint64_t>& words, std::size_t stream, Word p) {
    std::vector<Word> out;
    for (std::size_t i = 0; i < heml::kernel::ACCEPT_CANDIDATES; ++i) {
        Word candidate = 0;
        for (std::size_t bit = 0; bit < 48 && ((p - 1) >> bit) != 0; ++bit) {
            const std::size_t at = 48 * i + bit;
            candidate |= (words[8 * (at / 64) + stream] >> (at % 64) & 1) << bit;
        }
        if (candidate < p) out.push_back(candidate);
    }
    return out;
}

}  // namespace

TEST(rejectionSamplingTakesWhatIsBelow) {
    using heml::kernel::AcceptJob;
    Random random(24);
    for (Word p : {Word{1}, Word{2}, Word{97}, (Word{1} << 31) + 11, (Word{1} << 47) + 1, (Word{1} << 48) - 59, Word{1} << 48}) {
        for (std::size_t wanted : {1, 28, 100}) {
            const std::size_t room = wanted + AcceptJob::ROOM;
            std::vector<std::vector<Word>> want(8);
            alignas(64) std::uint64_t words[8 * heml::kernel::ACCEPT_WORDS];
            std::vector<std::vector<Word>> rows(supportedKernels().count, std::vector<Word>(8 * room + 1, 5));
            std::vector<std::vector<std::size_t>> counts(supportedKernels().count, std::vector<std::size_t>(8));
            for (int step = 0; step < 6; ++step) {
                for (auto& w : words) w = random.next();
                for (std::size_t stream = 0; stream < 8; ++stream) {
                    if (want[stream].size() >= wanted) continue;
                    const auto more = acceptedOf({words, words + std::size(words)}, stream, p);
                    want[stream].insert(want[stream].end(), more.begin(), more.end());
                }
                for (std::size_t k = 0; k < supportedKernels().count; ++k)
                    supportedKernels().first[k]->acceptUniform({words, rows[k].data(), room, counts[k].data(), wanted, p});
            }
            for (std::size_t k = 0; k < supportedKernels().count; ++k) {
                for (std::size_t stream = 0; stream < 8; ++stream) {
                    CHECK_EQUAL(counts[k][stream], want[stream].size());
                    for (std::size_t i = 0; i < std::min(wanted, counts[k][stream]); ++i)
                        CHECK_EQUAL(rows[k][stream * room + i], want[stream][i]);
                }
                CHECK_EQUAL(rows[k].back(), Word{5});
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
