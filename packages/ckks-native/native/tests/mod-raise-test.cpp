// modRaise through the ephemeral secret: the phase afterwards is m + e + q_0 I with e small and |I| <= 16, the same I
// modulo every prime; every shape of base, keys of higher levels, and refusals.

#include "client/encapsulation-generator.h"
#include "server/mod-raise.h"
#include "server/tests/server-helpers.h"
#include "scheme/encapsulation-key.h"
#include "scheme/serialize.h"
#include "scheme/tests/scheme-helpers.h"

using namespace heml;
using namespace heml::test;

namespace {

SerialExecutor serial;

struct Setup {
    Setup(const Shape& shape, size_t specials, std::uint8_t stream)
        : kit(Context::create(makeSpec(shape)), stream),
          secret(SecretKey::generate(kit.context, testSeed(stream))),
          ephemeral(ephemeralContext(*kit.context, specials)) {
        for (std::size_t i = 0; i < kit.secret.size(); ++i) {
            kit.secret[i].assign(secret.limb(i), secret.limb(i) + kit.n());
        }
    }

    EncapsulationKey key(unsigned level) { return generateEncapsulationKey(secret, ephemeral, level, testSeed(77), serial); }

    Toolkit kit;
    SecretKey secret;
    std::shared_ptr<const Context> ephemeral;
};

std::int64_t centred(Word x, const Modulus& m) {
    return x > m.value / 2 ? static_cast<std::int64_t>(x) - static_cast<std::int64_t>(m.value) : static_cast<std::int64_t>(x);
}
Word reduced(std::int64_t x, const Modulus& m) {
    const auto p = static_cast<std::int64_t>(m.value);
    return static_cast<Word>((x % p + p) % p);
}

struct Raised {
    double errorBits;
    std::int64_t largestMultiple;
};

/// What modRaise added to the message, coefficient by coefficient; CHECKs that it is e + q_0 I with one I for all primes.
Raised added(const Toolkit& kit, const Ciphertext& raised, const Rns& message) {
    const Context& context = *kit.context;
    Rns difference = kit.sub(kit.phase(raised), message);
    for (std::size_t i = 0; i < difference.size(); ++i) kit.transform(difference[i], i, false);
    const std::size_t base = context.limbsAt(0);
    std::int64_t largestError = 0, largestMultiple = 0;
    std::size_t disagreements = 0;
    std::vector<Word> inverse(difference.size());
    for (std::size_t i = base; i < inverse.size(); ++i) {
        const Modulus& m = context.modulus(i);
        Word product = 1;
        for (std::size_t b = 0; b < base; ++b) product = kernel::mulMod(product, context.modulus(b).value % m.value, m);
        inverse[i] = kernel::inverseMod(product, m);
    }
    for (std::size_t j = 0; j < kit.n(); ++j) {
    // q_0 I vanishes modulo the base primes
        const std::int64_t error = centred(difference[0][j], context.modulus(0));
        for (std::size_t b = 1; b < base; ++b) disagreements += centred(difference[b][j], context.modulus(b)) != error;
        std::int64_t multiple = 0;
        for (std::size_t i = base; i < inverse.size(); ++i) {
            const Modulus& m = context.modulus(i);
            const Word rest = subMod(difference[i][j], reduced(error, m), m);
            const std::int64_t here = centred(kernel::mulMod(rest, inverse[i], m), m);
            if (i == base) multiple = here;
            disagreements += here != multiple;
        }
        largestError = std::max(largestError, std::abs(error));
        largestMultiple = std::max(largestMultiple, std::abs(multiple));
    }
    CHECK_EQUAL(disagreements, std::size_t{0});
    return {std::log2(static_cast<double>(largestError)), largestMultiple};
}

void checkEveryLevel(const Shape& shape, std::size_t specials, std::uint8_t stream, unsigned lowest = 1) {
    Setup s(shape, specials, stream);
    const unsigned top = s.kit.context->maxLevel();
    const EncapsulationKey key = s.key(top);
    CHECK_EQUAL(key.level(), top);
    const Rns message = s.kit.evaluate(s.kit.small(std::int64_t{1} << 30));
    const Ciphertext a = s.kit.encrypt(message, 0);
    for (unsigned level = lowest; level <= top; ++level) {
        const Ciphertext raised = modRaise(a, key, level, serial);
        CHECK_EQUAL(raised.level(), level);
        CHECK_EQUAL(raised.degree(), 1u);
        const Raised got = added(s.kit, raised, message);
    // rounding of both switches and their errors, about sqrt(N) each with P as large as a digit
        CHECK(got.errorBits < shape.logN + 5);
        CHECK(got.largestMultiple <= 16);
    // three deviations of sqrt(33 / 12) are reached by one coefficient in 370
        CHECK(got.largestMultiple >= 4);
    }
}

}  // namespace

TEST(baseOfOnePrime) {
    checkEveryLevel({10, {{45}, {44}, {43, 47}, {40}}, {47}, 1}, 1, 1);
    checkEveryLevel({11, {{45}, {44}, {43}, {46}, {45, 45}}, {47, 47, 46}, 3}, 1, 2);
    checkEveryLevel({12, {{45}, {45}, {45}, {45}, {45}}, {47, 47, 47, 47, 47}, 5}, 2, 3);
}

TEST(baseOfTwoPrimes) {
    checkEveryLevel({10, {{46, 46}, {45}, {40, 41}, {46}, {47}}, {46, 47}, 2}, 2, 4);
    checkEveryLevel({12, {{40, 40}, {45}, {45}}, {47, 47, 47}, 3}, 2, 5);
}

TEST(largeRing) { checkEveryLevel({15, {{45}, {44}, {43}}, {47, 47}, 2}, 1, 6, 2); }

// The specials may cover fewer bits than the base: then the first switch adds their difference to its error.
TEST(smallSpecialModulus) {
    Setup s({10, {{46}, {45}, {45}}, {42, 47}, 1}, 1, 7);
    const Rns message = s.kit.evaluate(s.kit.small(std::int64_t{1} << 30));
    const Raised got = added(s.kit, modRaise(s.kit.encrypt(message, 0), s.key(2), 2, serial), message);
    CHECK(got.errorBits < 4 + 10 + 5);
    CHECK(got.largestMultiple <= 16);
}

TEST(anyThreadsAndPackedKeysGiveTheSameWords) {
    Setup s(testShapes()[0], 2, 8);
    ScatteringExecutor scattering;
    const Ciphertext a = s.kit.uniformCiphertext(0, 1);
    EncapsulationKey key = s.key(3);
    const Ciphertext want = modRaise(a, key, 2, serial);
    key.pack(serial);
    const Ciphertext got = modRaise(a, key, 2, scattering);
    for (unsigned poly = 0; poly < 2; ++poly) CHECK(s.kit.poly(got, poly) == s.kit.poly(want, poly));
}

TEST(keysSurviveTheirFiles) {
    Setup s(testShapes()[0], 2, 9);
    const EncapsulationKey key = s.key(2);
    auto again = [&](const KeySwitchKey& half) {
        std::vector<std::uint8_t> bytes(keySwitchKeyBytes(*half.context(), half.level(), true));
        exportKeySwitchKey(bytes.data(), bytes.size(), half, true, serial);
        return importKeySwitchKey(half.context(), {half.level(), 1, true}, bytes.data(), bytes.size(), serial);
    };
    const EncapsulationKey read{again(key.toSparse), again(key.toDense)};
    const Ciphertext a = s.kit.uniformCiphertext(0, 1);
    const Ciphertext want = modRaise(a, key, 2, serial), got = modRaise(a, read, 2, serial);
    for (unsigned poly = 0; poly < 2; ++poly) CHECK(s.kit.poly(got, poly) == s.kit.poly(want, poly));
}

TEST(freshKeysDiffer) {
    Setup s(testShapes()[1], 1, 10);
    const EncapsulationKey one = generateEncapsulationKey(s.secret, s.ephemeral, 1, serial);
    const EncapsulationKey two = generateEncapsulationKey(s.secret, s.ephemeral, 1, serial);
    CHECK(one.toSparse.seed != two.toSparse.seed);
    CHECK(one.toDense.seed != two.toDense.seed);
    CHECK(one.toSparse.seed != one.toDense.seed);
}

TEST(refusals) {
    Setup s(testShapes()[0], 2, 11), other(testShapes()[1], 1, 12);
    const EncapsulationKey key = s.key(2);
    const Ciphertext a = s.kit.uniformCiphertext(0, 1);
    CHECK_THROWS_TEXT(modRaise(a, key, 3, serial), LevelError, "1 to 2, got 3");
    CHECK_THROWS_TEXT(modRaise(a, key, 0, serial), LevelError, "got 0");
    CHECK_THROWS_TEXT(modRaise(s.kit.uniformCiphertext(1, 1), key, 2, serial), LevelError, "level 0");
    CHECK_THROWS_TEXT(modRaise(s.kit.uniformCiphertext(0, 2), key, 2, serial), DegreeError, "relinearize");
    CHECK_THROWS_TEXT(modRaise(other.kit.uniformCiphertext(0, 1), key, 1, serial), ParameterMismatchError, "primes");
    CHECK_THROWS_TEXT(ephemeralContext(*s.kit.context, 0), InvalidArgumentError, "1 to 2");
    CHECK_THROWS_TEXT(ephemeralContext(*s.kit.context, 3), InvalidArgumentError, "1 to 2");
}

TEST_MAIN()
