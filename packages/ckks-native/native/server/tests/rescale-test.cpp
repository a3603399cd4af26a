// rescale is exact: every coefficient c of every polynomial becomes (c - [c]_q) / q with [c]_q centred, for one prime and
// for two.

#include "server-helpers.h"

using namespace heml;
using namespace heml::test;

namespace {

// The coefficients of the dropped limbs as centred integers.
std::vector<__int128> centredTail(const Toolkit& kit, const Rns& coefficients, std::size_t kept) {
    std::vector<__int128> out(kit.n());
    const Modulus& p = kit.context->modulus(kept);
    for (std::size_t j = 0; j < kit.n(); ++j) {
        __int128 value = coefficients[kept][j];
        __int128 product = p.value;
        if (coefficients.size() == kept + 2) {
            const Modulus& r = kit.context->modulus(kept + 1);
            const Word difference = subMod(coefficients[kept + 1][j], coefficients[kept][j] % r.value, r);
            value += static_cast<__int128>(kernel::mulMod(difference, kernel::inverseMod(p.value % r.value, r), r)) * p.value;
            product *= r.value;
        }
        out[j] = value > product / 2 ? value - product : value;
    }
    return out;
}

void checkPoly(const Toolkit& kit, Rns before, Rns after) {
    const std::size_t kept = after.size();
    for (std::size_t i = 0; i < before.size(); ++i) kit.transform(before[i], i, false);
    const auto tail = centredTail(kit, before, kept);
    for (std::size_t i = 0; i < kept; ++i) {
        kit.transform(after[i], i, false);
        const Modulus& m = kit.context->modulus(i);
        Word divisor = kit.context->modulus(kept).value % m.value;
        if (before.size() == kept + 2) divisor = kernel::mulMod(divisor, kit.context->modulus(kept + 1).value % m.value, m);
        bool same = true;
        for (std::size_t j = 0; j < kit.n(); ++j) {
            const __int128 p = m.value;
            const Word rest = static_cast<Word>((tail[j] % p + p) % p);
            same = same && kernel::mulMod(after[i][j], divisor, m) == subMod(before[i][j], rest, m);
        }
        CHECK(same);
    }
}

}  // namespace

TEST(rescaleIsExact) {
    ScatteringExecutor executor;
    std::uint64_t stream = 30;
    for (const Shape& shape : testShapes()) {
        Toolkit kit(Context::create(makeSpec(shape)), stream++);
        for (unsigned level = 1; level <= kit.context->maxLevel(); ++level) {
            for (unsigned degree : {1u, 2u}) {
                const Ciphertext a = kit.uniformCiphertext(level, degree);
                const Ciphertext b = rescale(a, executor);
                CHECK_EQUAL(b.level(), level - 1);
                CHECK_EQUAL(b.degree(), degree);
                for (unsigned poly = 0; poly <= degree; ++poly) checkPoly(kit, kit.poly(a, poly), kit.poly(b, poly));
            }
        }
    }
}

// Both in one, to the bit.
TEST(relinearizeRescaleIsRescaleAfterRelinearize) {
    ScatteringExecutor executor;
    std::uint64_t stream = 60;
    for (const Shape& shape : testShapes()) {
        Toolkit kit(Context::create(makeSpec(shape)), stream++);
        const KeySwitchKey key = kit.key(kit.context->maxLevel(), KeySwitchKey::RELINEARIZATION);
        for (unsigned level = 1; level <= kit.context->maxLevel(); ++level) {
            const Ciphertext a = kit.uniformCiphertext(level, 2);
            const Ciphertext want = rescale(relinearize(a, key, executor), executor);
            const Ciphertext got = relinearizeRescale(a, key, executor);
            CHECK_EQUAL(got.level(), level - 1);
            CHECK_EQUAL(got.degree(), 1u);
            for (unsigned poly = 0; poly < 2; ++poly) CHECK(kit.poly(got, poly) == kit.poly(want, poly));
        }
        CHECK_THROWS(relinearizeRescale(kit.uniformCiphertext(0, 2), key, executor));
        CHECK_THROWS(relinearizeRescale(kit.uniformCiphertext(1, 1), key, executor));
    }
}

TEST_MAIN()
