// Key switching in every shape: relinearisation, rotation, conjugation, hoisting; keys of higher levels; all levels.

#include "server-helpers.h"

using namespace heml;
using namespace heml::test;

namespace {

// Rounding of the division by P, about sqrt(N), and the digits' errors, below that with P as large as a digit.
double noiseBound(const Context& context) { return context.logN() + 5; }

template <class Body>
void forShapes(const Body& body) {
    std::uint64_t stream = 1;
    for (const Shape& shape : testShapes()) {
        Toolkit kit(Context::create(makeSpec(shape)), stream++);
        body(kit);
    }
}

}  // namespace

TEST(relinearizeAtEveryLevel) {
    forShapes([](Toolkit& kit) {
        SerialExecutor serial;
        const KeySwitchKey key = kit.key(kit.context->maxLevel(), KeySwitchKey::RELINEARIZATION);
        for (unsigned level = 0; level <= kit.context->maxLevel(); ++level) {
            const Ciphertext a = kit.uniformCiphertext(level, 2);
            const Ciphertext b = relinearize(a, key, serial);
            CHECK_EQUAL(b.degree(), 1u);
            CHECK_EQUAL(b.level(), level);
            const double error = kit.bits(kit.sub(kit.phase(b), kit.phase(a)));
            CHECK(error < noiseBound(*kit.context));
        }
    });
}

TEST(productsDecrypt) {
    forShapes([](Toolkit& kit) {
        SerialExecutor serial;
        const unsigned level = kit.context->maxLevel();
        const KeySwitchKey key = kit.key(level, KeySwitchKey::RELINEARIZATION);
        const Rns x = kit.evaluate(kit.small(1 << 20)), y = kit.evaluate(kit.small(1 << 20));
        const Ciphertext c = mulRelinearize(kit.encrypt(x, level), kit.encrypt(y, level), key, serial);
        Rns want = kit.mul(x, y);
        want.resize(c.limbs());
        CHECK(kit.bits(kit.sub(kit.phase(c), want)) < 20 + 2 + kit.context->logN() + 2);
    });
}

TEST(rotateAtEveryLevel) {
    forShapes([](Toolkit& kit) {
        ScatteringExecutor executor;
        const Context& context = *kit.context;
        for (std::int64_t steps : {1, 5, -3, 256}) {
            const KeySwitchKey key = kit.key(context.maxLevel(), context.galoisElement(steps));
            for (unsigned level = 0; level <= context.maxLevel(); ++level) {
                const Ciphertext a = kit.uniformCiphertext(level, 1);
                const Ciphertext b = rotate(a, steps, key, executor);
                const Rns want = kit.automorphism(kit.phase(a), context.galoisElement(steps));
                CHECK(kit.bits(kit.sub(kit.phase(b), want)) < noiseBound(context));
            }
        }
    });
}

TEST(conjugateWithAKeyOfMiddleLevel) {
    forShapes([](Toolkit& kit) {
        SerialExecutor serial;
        const Context& context = *kit.context;
        const unsigned keyLevel = context.maxLevel() / 2;
        const KeySwitchKey key = kit.key(keyLevel, context.conjugation());
        for (unsigned level = 0; level <= keyLevel; ++level) {
            const Ciphertext a = kit.uniformCiphertext(level, 1);
            const Rns want = kit.automorphism(kit.phase(a), context.conjugation());
            CHECK(kit.bits(kit.sub(kit.phase(conjugate(a, key, serial)), want)) < noiseBound(context));
        }
        const Ciphertext above = kit.uniformCiphertext(context.maxLevel(), 1);
        CHECK_THROWS(conjugate(above, key, serial));
    });
}

TEST(hoistedRotationsEqualSingleOnes) {
    forShapes([](Toolkit& kit) {
        SerialExecutor serial;
        ScatteringExecutor scattering;
        const Context& context = *kit.context;
        const unsigned level = context.maxLevel() - 1;
        std::vector<KeySwitchKey> keys;
        for (std::int64_t steps : {1, 2, 7}) keys.push_back(kit.key(context.maxLevel(), context.galoisElement(steps)));
        const Ciphertext a = kit.uniformCiphertext(level, 1);
        const auto all = rotateHoisted(a, {&keys[0], nullptr, &keys[1], &keys[2]}, scattering);
        CHECK_EQUAL(all.size(), 4u);
        CHECK(kit.poly(all[1], 0) == kit.poly(a, 0) && kit.poly(all[1], 1) == kit.poly(a, 1));
        const std::size_t places[] = {0, 2, 3};
        for (std::size_t k = 0; k < 3; ++k) {
            const Ciphertext one = applyGalois(a, keys[k], serial);
            for (unsigned poly = 0; poly < 2; ++poly) CHECK(kit.poly(one, poly) == kit.poly(all[places[k]], poly));
        }
    });
}

namespace {

// 4 bytes a residue below 2^32, 6 a larger one.
std::size_t packedBytes(const KeySwitchKey& key) {
    std::size_t bytes = 0;
    for (std::size_t t = 0; t < key.targets(); ++t) {
        const bool narrow = key.context()->modulus(key.modulusIndex(t)).value < Word{1} << 32;
        bytes += key.digits() * 2 * key.context()->ringDegree() * (narrow ? 4 : 6);
    }
    return bytes;
}

}  // namespace

TEST(packedKeysAndPlaintextsGiveTheSameWords) {
    forShapes([](Toolkit& kit) {
        SerialExecutor serial;
        const unsigned level = kit.context->maxLevel();
        KeySwitchKey key = kit.key(level, kit.context->galoisElement(1));
        const std::vector<Word> before(key.limb(0, 0, KeySwitchKey::A), key.limb(0, 0, KeySwitchKey::A) + kit.n());
        const std::size_t bytes = key.bytes();
        const Ciphertext a = kit.uniformCiphertext(level, 1);
        const Plaintext p = kit.plaintext(kit.periodic(0), level, true);
        const Ciphertext rotated = applyGalois(a, key, serial);
        const Ciphertext transformed = linearTransform(a, {{&key, {{&key, &p}}}}, serial);
        key.pack(serial);
        CHECK_EQUAL(key.bytes(), packedBytes(key));
        CHECK(key.bytes() <= bytes / 4 * 3);
        CHECK_THROWS(key.limb(0, 0, KeySwitchKey::A));
        const Ciphertext rotatedPacked = applyGalois(a, key, serial);
        const Plaintext packed = packedCopy(p);
        const Ciphertext transformedPacked = linearTransform(a, {{&key, {{&key, &packed}}}}, serial);
        for (unsigned poly = 0; poly < 2; ++poly) {
            CHECK(kit.poly(rotated, poly) == kit.poly(rotatedPacked, poly));
            CHECK(kit.poly(transformed, poly) == kit.poly(transformedPacked, poly));
        }
        key.unpack(serial);
        CHECK(std::equal(before.begin(), before.end(), key.limb(0, 0, KeySwitchKey::A)));
    });
}

TEST(wrongKeysAreRefused) {
    Toolkit kit(Context::create(makeSpec(testShapes()[0])));
    Toolkit other(Context::create(makeSpec(testShapes()[1])));
    SerialExecutor serial;
    const KeySwitchKey galois = kit.key(1, kit.context->galoisElement(1));
    const KeySwitchKey relinearization = kit.key(1, KeySwitchKey::RELINEARIZATION);
    const Ciphertext a = kit.uniformCiphertext(1, 1);
    const Ciphertext quadratic = kit.uniformCiphertext(1, 2);
    auto code = [](auto&& call) {
        try {
            call();
        } catch (const Error& error) {
            return std::string(error.code());
        }
        return std::string("none");
    };
    CHECK_EQUAL(code([&] { rotate(a, 2, galois, serial); }), "Key");
    CHECK_EQUAL(code([&] { applyGalois(a, relinearization, serial); }), "Key");
    CHECK_EQUAL(code([&] { relinearize(quadratic, galois, serial); }), "Key");
    CHECK_EQUAL(code([&] { relinearize(a, relinearization, serial); }), "Degree");
    CHECK_EQUAL(code([&] { rotate(quadratic, 1, galois, serial); }), "Degree");
    CHECK_EQUAL(code([&] { rotate(kit.uniformCiphertext(2, 1), 1, galois, serial); }), "Level");
    CHECK_EQUAL(code([&] { applyGalois(a, other.key(1, other.context->galoisElement(1)), serial); }), "ParameterMismatch");
    CHECK_EQUAL(code([&] { rotate(Ciphertext(), 1, galois, serial); }), "InvalidArgument");
}

TEST_MAIN()
