// modRaise through the ephemeral secret: the phase afterwards is m + e + q_0 I with e small and |I| <= 16, the same I
// modulo every prime; every shape of base, keys of higher levels, and refusals.

#include "client/encapsulation-generator.h"
#include "server/mod-raise.h"
#include "server/raise-transform.h"
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

    EncapsulationKey key(unsigned level) { return generateEncapsulationKey(secret, {ephemeral}, {level}, testSeed(77), serial); }
    // In the raising context, with more Galois elements.
    EncapsulationKey raising(unsigned level, std::vector<uint32_t> elements = {}) {
        return generateEncapsulationKey(secret, {ephemeral, raisingContext(*kit.context)}, {level, std::move(elements)},
                                        testSeed(78), serial);
    }

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
    const Rns message = s.kit.evaluate(s.kit.small(std::int64_t{1} << 30));
    const Ciphertext a = s.kit.encrypt(message, 0);
    for (const EncapsulationKey& key : {s.key(top), s.raising(top)}) {
        CHECK_EQUAL(key.level(), top);
        for (unsigned level = lowest; level <= top; ++level) {
            const Ciphertext raised = modRaise(a, key, level, serial);
            CHECK_EQUAL(raised.level(), level);
            CHECK_EQUAL(raised.degree(), 1u);
            CHECK(raised.context()->sameAs(*s.kit.context));
            const Raised got = added(s.kit, raised, message);
    // rounding of both switches and their errors, about sqrt(N) each with P as large as a digit
            CHECK(got.errorBits < shape.logN + 5);
            CHECK(got.largestMultiple <= 16);
    // three deviations of sqrt(33 / 12) are reached by one coefficient in 370
            CHECK(got.largestMultiple >= 4);
        }
    }
}

// The same by modRaise, rotations of its result and a rescaling.
void checkTransform(const Shape& shape, std::size_t specials, std::uint8_t stream) {
    Setup s(shape, specials, stream);
    const Context& context = *s.kit.context;
    const unsigned top = context.maxLevel();
    const std::vector<uint32_t> elements = {context.galoisElement(3), context.galoisElement(-5), context.conjugation()};
    EncapsulationKey key = s.raising(top, elements);
    std::vector<KeySwitchKey> ordinary;
    std::vector<Plaintext> plaintexts;
    std::vector<RaiseTerm> terms;
    std::vector<GiantStep> giants = {{nullptr, {}}};
    for (std::size_t i = 0; i <= elements.size(); ++i)
        plaintexts.push_back(s.kit.plaintext(s.kit.periodic(i, 1 << 10), top, true, i));
    for (const uint32_t element : elements) ordinary.push_back(s.kit.key(top, element));
    for (std::size_t i = 0; i <= elements.size(); ++i) {
        terms.push_back({i == 0 ? 1 : elements[i - 1], &plaintexts[i]});
        giants[0].terms.push_back({i == 0 ? nullptr : &ordinary[i - 1], &plaintexts[i]});
    }
    const Ciphertext a = s.kit.encrypt(s.kit.evaluate(s.kit.small(std::int64_t{1} << 30)), 0);
    ScatteringExecutor scattering;
    for (unsigned level = top; level >= std::max(2u, top - 1); --level) {
        const Ciphertext got = std::move(raiseTransforms({&a}, key, terms, level, serial)[0]);
        CHECK_EQUAL(got.level(), level - 1);
        CHECK(got.context()->sameAs(context));
        const Ciphertext raised = modRaise(a, key, level, serial);
        const Ciphertext want = std::move(linearTransformRescale({&raised}, giants, serial)[0]);
    // rotations' noise times plaintexts of 10 bits, less 40 bits or more of the prime; and the rounding of both
        CHECK(s.kit.bits(s.kit.sub(s.kit.phase(got), s.kit.phase(want))) < shape.logN + 4);
        key.pack(serial);
        const Ciphertext other = s.kit.uniformCiphertext(0, 1);
        const Ciphertext alone = std::move(raiseTransforms({&other}, key, terms, level, serial)[0]);
        const auto again = raiseTransforms({&a, &other, &a}, key, terms, level, scattering);
        for (unsigned poly = 0; poly < 2; ++poly) {
            CHECK(s.kit.poly(again[0], poly) == s.kit.poly(got, poly));
            CHECK(s.kit.poly(again[1], poly) == s.kit.poly(alone, poly));
            CHECK(s.kit.poly(again[2], poly) == s.kit.poly(got, poly));
        }
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

TEST(raisedAndTransformed) {
    checkTransform({10, {{45}, {44}, {43, 47}, {44}}, {47}, 1}, 1, 21);
    checkTransform({11, {{45}, {44}, {43}, {46}, {45, 45}}, {47, 47, 46}, 3}, 1, 22);
    checkTransform({10, {{46, 46}, {45}, {44, 41}, {46}, {47}}, {46, 47}, 2}, 2, 23);
    checkTransform({12, {{40, 40}, {45}, {45}}, {47, 47, 47}, 3}, 2, 24);
}

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
    auto again = [&](const KeySwitchKey& half) {
        std::vector<std::uint8_t> bytes(keySwitchKeyBytes(*half.context(), half.level(), true));
        exportKeySwitchKey(bytes.data(), bytes.size(), half, true, serial);
        return importKeySwitchKey(half.context(), {half.level(), half.galoisElement(), true}, bytes.data(), bytes.size(), serial);
    };
    const Ciphertext a = s.kit.uniformCiphertext(0, 1);
    for (const EncapsulationKey& key : {s.key(2), s.raising(2, {5, 25})}) {
        EncapsulationKey read{again(key.toSparse), {}};
        for (const KeySwitchKey& back : key.toDense) read.toDense.push_back(again(back));
        const Ciphertext want = modRaise(a, key, 2, serial), got = modRaise(a, read, 2, serial);
        for (unsigned poly = 0; poly < 2; ++poly) CHECK(s.kit.poly(got, poly) == s.kit.poly(want, poly));
        CHECK_EQUAL(read.raising(*s.kit.context, 25) != nullptr, key.toDense.size() == 3);
        CHECK(read.raising(*s.kit.context, 7) == nullptr);
    }
}

// Straight to segments: as many bytes as its contexts say, and keys that work.
TEST(keysAreWrittenToTheirSegments) {
    Setup s(testShapes()[0], 2, 13);
    const auto raising = raisingContext(*s.kit.context);
    std::vector<std::vector<std::uint8_t>> segments;
    const auto allocate = [&](std::size_t bytes) { return segments.emplace_back(bytes).data(); };
    writeEncapsulationKey(s.secret, {s.ephemeral, raising}, {2, {5}}, allocate, serial);
    CHECK_EQUAL(segments.size(), std::size_t{3});
    CHECK_EQUAL(segments[0].size(), keySwitchKeyBytes(*s.ephemeral, 0, true));
    CHECK_EQUAL(segments[2].size(), keySwitchKeyBytes(*raising, 2, true));
    const auto read = [&](std::size_t i, const std::shared_ptr<const Context>& context, unsigned level, uint32_t element) {
        return importKeySwitchKey(context, {level, element, true}, segments[i].data(), segments[i].size(), serial);
    };
    EncapsulationKey key{read(0, s.ephemeral, 0, 1), {}};
    key.toDense.push_back(read(1, raising, 2, 1));
    key.toDense.push_back(read(2, raising, 2, 5));
    const Rns message = s.kit.evaluate(s.kit.small(std::int64_t{1} << 30));
    const Raised got = added(s.kit, modRaise(s.kit.encrypt(message, 0), key, 2, serial), message);
    CHECK(got.errorBits < 20);
    CHECK(got.largestMultiple <= 16);
}

TEST(freshKeysDiffer) {
    Setup s(testShapes()[1], 1, 10);
    const EncapsulationKey one = generateEncapsulationKey(s.secret, {s.ephemeral}, {1}, serial);
    const EncapsulationKey two = generateEncapsulationKey(s.secret, {s.ephemeral}, {1}, serial);
    CHECK(one.toSparse.seed != two.toSparse.seed);
    CHECK(one.toDense[0].seed != two.toDense[0].seed);
    CHECK(one.toSparse.seed != one.toDense[0].seed);
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
    const Plaintext plain = s.kit.plaintext(s.kit.periodic(0), 2, true), narrow = s.kit.plaintext(s.kit.periodic(0), 2, false),
                    low = s.kit.plaintext(s.kit.periodic(0), 1, true);
    const EncapsulationKey rotating = s.raising(2, {5});
    const auto transform = [&](const EncapsulationKey& k, const std::vector<RaiseTerm>& terms, unsigned level) {
        return std::move(raiseTransforms({&a}, k, terms, level, serial)[0]);
    };
    CHECK_EQUAL(transform(rotating, {{5, &plain}, {1, &plain}}, 2).level(), 1u);
    CHECK_THROWS_TEXT(transform(key, {{1, &plain}}, 2), KeyError, "Galois element 1");
    CHECK_THROWS_TEXT(transform(rotating, {{25, &plain}}, 2), KeyError, "Galois element 25");
    CHECK_THROWS_TEXT(transform(rotating, {{5, &narrow}}, 2), InvalidArgumentError, "extended");
    CHECK_THROWS_TEXT(transform(rotating, {{5, &low}}, 2), LevelError, "level 1");
    CHECK_THROWS_TEXT(transform(rotating, {{5, nullptr}}, 2), InvalidArgumentError, "plaintext");
    CHECK_THROWS_TEXT(transform(rotating, {}, 2), InvalidArgumentError, "at least one");
    CHECK_THROWS_TEXT(raiseTransforms({}, rotating, {{5, &plain}}, 2, serial), InvalidArgumentError, "at least one");
    CHECK_THROWS_TEXT(transform(rotating, {{5, &plain}}, 3), LevelError, "1 to 2, got 3");
    CHECK_THROWS_TEXT(generateEncapsulationKey(s.secret, {s.ephemeral}, {1, {5}}, serial), InvalidArgumentError, "raising");
    CHECK_THROWS_TEXT(s.raising(2, {4}), InvalidArgumentError, "odd");
    CHECK_THROWS_TEXT(ephemeralContext(*s.kit.context, 0), InvalidArgumentError, "1 to 2");
    CHECK_THROWS_TEXT(ephemeralContext(*s.kit.context, 3), InvalidArgumentError, "1 to 2");
}

TEST_MAIN()
