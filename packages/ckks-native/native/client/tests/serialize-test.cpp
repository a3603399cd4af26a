// Raw segments: round trips, exact sizes, every truncation, every bad residue, streaming by limbs.

#include <cmath>

#include "client/secret-key-segment.h"
#include "client/encryptor.h"
#include "client/key-generator.h"
#include "runtime/scheduler.h"
#include "scheme/serialize.h"
#include "scheme/tests/scheme-helpers.h"

using namespace heml;
using namespace heml::test;

namespace {

SerialExecutor serial;

struct Fixture {
    std::shared_ptr<const Context> context = makeContext(10, 3);
    Encoder encoder{context};
    SecretKey secret = SecretKey::generate(context, testSeed(1));
    KeyGenerator generator{secret, testSeed(2)};
    Random random;

    Plaintext plaintext(std::size_t n, unsigned level, bool extended = false) {
        const std::vector<double> re = randomValues(n, random);
        return encoder.encode(re.data(), nullptr, n, level, 0x1p40, {extended, true});
    }
};

bool sameWords(const Word* a, const Word* b, std::size_t words) { return std::memcmp(a, b, words * 8) == 0; }

bool same(const Ciphertext& a, const Ciphertext& b) {
    if (a.level() != b.level() || a.degree() != b.degree()) return false;
    for (unsigned i = 0; i <= a.degree(); ++i) {
        if (!sameWords(a.limb(i, 0), b.limb(i, 0), a.limbs() * a.context()->ringDegree())) return false;
    }
    return true;
}

/// Unaligned on purpose: files put segments where they like.
struct Bytes {
    explicit Bytes(std::size_t size) : store(size + 3), size(size) {}
    std::uint8_t* data() { return store.data() + 3; }
    std::vector<std::uint8_t> store;
    std::size_t size;
};

}  // namespace

TEST(ciphertexts) {
    Fixture f;
    for (unsigned level : {0u, 2u}) {
        const SeededCiphertext fresh = encrypt(f.plaintext(512, level), f.secret, testSeed(9), serial);
        Bytes seeded(ciphertextBytes(*f.context, level, 1, true)), plain(ciphertextBytes(*f.context, level, 1, false));
        CHECK_EQUAL(seeded.size, 32 + (level + 1) * 1024 * 6);
        CHECK_EQUAL(plain.size, 2 * (level + 1) * 1024 * 6);
        exportCiphertext(seeded.data(), seeded.size, fresh.ciphertext, &fresh.seed, serial);
        exportCiphertext(plain.data(), plain.size, fresh.ciphertext, nullptr, serial);
        CHECK(same(importCiphertext(f.context, {level, 1, true, false}, seeded.data(), seeded.size, serial), fresh.ciphertext));
        CHECK(same(importCiphertext(f.context, {level, 1, false, false}, plain.data(), plain.size, serial), fresh.ciphertext));
        CHECK_THROWS_TEXT(exportCiphertext(plain.data(), plain.size - 1, fresh.ciphertext, nullptr, serial), FormatError,
                          "exactly");
    }
    Ciphertext product(f.context, 1, 2);
    for (unsigned i = 0; i < 3; ++i) {
        for (std::size_t limb = 0; limb < 2; ++limb) {
            for (std::size_t k = 0; k < 1024; ++k) product.limb(i, limb)[k] = f.random.below(f.context->modulus(limb).value);
        }
    }
    Bytes bytes(ciphertextBytes(*f.context, 1, 2, false));
    exportCiphertext(bytes.data(), bytes.size, product, nullptr, serial);
    CHECK(same(importCiphertext(f.context, {1, 2, false, false}, bytes.data(), bytes.size, serial), product));
    const Seed seed{};
    CHECK_THROWS_TEXT(exportCiphertext(bytes.data(), bytes.size, product, &seed, serial), DegreeError, "degree 1");
    CHECK_THROWS_TEXT(ciphertextBytes(*f.context, 1, 3, false), DegreeError, "degree");
    CHECK_THROWS_TEXT(ciphertextBytes(*f.context, 7, 1, false), LevelError, "levels");
}

TEST(transparentCiphertextsAreRefused) {
    Fixture f;
    Ciphertext ciphertext = encrypt(f.plaintext(512, 1), f.secret, serial).ciphertext;
    ciphertext.poly(1).zero();
    Bytes bytes(ciphertextBytes(*f.context, 1, 1, false));
    exportCiphertext(bytes.data(), bytes.size, ciphertext, nullptr, serial);
    CHECK_THROWS_TEXT(importCiphertext(f.context, {1, 1, false, false}, bytes.data(), bytes.size, serial), FormatError,
                      "c1 is zero");
    CHECK(same(importCiphertext(f.context, {1, 1, false, true}, bytes.data(), bytes.size, serial), ciphertext));
}

TEST(plaintexts) {
    Fixture f;
    for (std::size_t n : {512u, 16u, 2u, 1u}) {
        for (bool extended : {false, true}) {
            const Plaintext plaintext = f.plaintext(n, 1, extended);
            Bytes bytes(plaintextBytes(*f.context, 1, extended, plaintext.logRepeat()));
            CHECK_EQUAL(bytes.size, plaintext.limbs() * 2 * n * 6);
            exportPlaintext(bytes.data(), bytes.size, plaintext, serial);
            const Plaintext back =
                importPlaintext(f.context, {1, extended, plaintext.logRepeat()}, bytes.data(), bytes.size, serial);
            CHECK(sameWords(back.limb(0), plaintext.limb(0), plaintext.bytes() / 8));
        }
    }
    CHECK_THROWS_TEXT(plaintextBytes(*f.context, 1, false, 10), FormatError, "logRepeat");
}

TEST(keys) {
    Fixture f;
    Scheduler scheduler({2, nullptr, 0});
    const std::uint32_t element = f.context->galoisElement(5);
    for (unsigned level : {0u, 2u}) {
        const KeySwitchKey key = f.generator.galoisKey(level, element, serial);
        const PublicKey publicKey = f.generator.publicKey(level, serial);
        for (bool seeded : {true, false}) {
            Bytes bytes(keySwitchKeyBytes(*f.context, level, seeded));
            CHECK_EQUAL(bytes.size, (seeded ? 32 : 0) + key.targets() * key.digits() * (seeded ? 1 : 2) * 1024 * 6);
            exportKeySwitchKey(bytes.data(), bytes.size, key, seeded, scheduler);
            const KeySwitchKey back =
                importKeySwitchKey(f.context, {level, element, seeded}, bytes.data(), bytes.size, scheduler);
            CHECK(sameWords(back.limb(0, 0, KeySwitchKey::B), key.limb(0, 0, KeySwitchKey::B), key.bytes() / 8));
            CHECK(!seeded || back.seed == key.seed);
            Bytes other(publicKeyBytes(*f.context, level, seeded));
            exportPublicKey(other.data(), other.size, publicKey, seeded, serial);
            const PublicKey backPublic = importPublicKey(f.context, level, seeded, other.data(), other.size, serial);
            CHECK(sameWords(backPublic.a().limb(0), publicKey.a().limb(0), publicKey.limbs() * 1024));
            CHECK(sameWords(backPublic.b().limb(0), publicKey.b().limb(0), publicKey.limbs() * 1024));
        }
    }
}

// What servers and clients of large keys use: no copy of the key with eight bytes a residue on the way.
TEST(packedImportsEqualPackedKeys) {
    Fixture f;
    Scheduler scheduler(SchedulerOptions{3, nullptr, 0});
    for (const bool seeded : {true, false}) {
        const KeySwitchKey key = f.generator.galoisKey(1, 5, serial);
        Bytes bytes(keySwitchKeyBytes(*f.context, 1, seeded)), again(keySwitchKeyBytes(*f.context, 1, seeded));
        exportKeySwitchKey(bytes.data(), bytes.size, key, seeded, serial);
        KeySwitchKey packed = importKeySwitchKey(f.context, {1, 5, seeded, true}, bytes.data(), bytes.size, scheduler);
        CHECK(packed.packed());
        CHECK_EQUAL(packed.bytes(), key.bytes() / 4 * 3);
        CHECK(!seeded || packed.seed == key.seed);
        exportKeySwitchKey(again.data(), again.size, packed, seeded, scheduler);
        CHECK(std::memcmp(again.data(), bytes.data(), bytes.size) == 0);
        packed.unpack(serial);
        CHECK(sameWords(packed.limb(0, 0, KeySwitchKey::B), key.limb(0, 0, KeySwitchKey::B), key.bytes() / 8));
        std::memset(bytes.data() + 32 + 6 * 700, 0xff, 6);
        CHECK_THROWS_TEXT(importKeySwitchKey(f.context, {1, 5, seeded, true}, bytes.data(), bytes.size, serial), FormatError,
                          "limb 0, index 70");
    }
}

// Files that do not name an expansion are of the time of SHAKE128.
TEST(seedsOfKeysAreExpandedAsTheFileSays) {
    Fixture f;
    const KeySwitchKey key = f.generator.galoisKey(1, 5, serial);
    CHECK(key.expansion == Expansion::TurboShake128);
    Bytes bytes(keySwitchKeyBytes(*f.context, 1, true));
    exportKeySwitchKey(bytes.data(), bytes.size, key, true, serial);
    const size_t n = f.context->ringDegree();
    for (const Expansion expansion : {Expansion::Shake128, Expansion::TurboShake128}) {
        for (const bool packed : {false, true}) {
            KeySwitchKey back = importKeySwitchKey(f.context, {1, 5, true, packed, expansion}, bytes.data(), bytes.size, serial);
            CHECK(back.expansion == expansion);
            back.unpack(serial);
            std::vector<uint64_t> want(n);
            for (size_t target = 0; target < key.targets(); ++target) {
                for (size_t digit = 0; digit < key.digits(); ++digit) {
                    sampleUniform(want.data(), 0, n, f.context->modulus(key.modulusIndex(target)).value, key.seed, digit,
                                  expansion, f.context->kernels());
                    CHECK(sameWords(back.limb(target, digit, KeySwitchKey::A), want.data(), n));
                    CHECK(sameWords(back.limb(target, digit, KeySwitchKey::B), key.limb(target, digit, KeySwitchKey::B), n));
                    const bool same = sameWords(want.data(), key.limb(target, digit, KeySwitchKey::A), n);
                    CHECK_EQUAL(same, expansion == Expansion::TurboShake128);
                }
            }
        }
    }
}

TEST(keysWrittenLimbByLimbAreTheSameBytes) {
    Fixture f;
    Scheduler scheduler(SchedulerOptions{3, nullptr, 0});
    for (const std::uint32_t element : {KeySwitchKey::RELINEARIZATION, 5u, 2047u}) {
        for (const unsigned level : {0u, 1u, 2u}) {
            KeyGenerator one(f.secret, testSeed(3)), two(f.secret, testSeed(3));
            const KeySwitchKey key = element == KeySwitchKey::RELINEARIZATION ? one.relinearizationKey(level, serial)
                                                                              : one.galoisKey(level, element, serial);
            Bytes want(keySwitchKeyBytes(*f.context, level, true)), got(want.size);
            exportKeySwitchKey(want.data(), want.size, key, true, serial);
            two.writeSeededKey(got.data(), got.size, level, element, scheduler);
            CHECK(std::memcmp(got.data(), want.data(), want.size) == 0);
            CHECK_THROWS_TEXT(two.writeSeededKey(got.data(), got.size - 1, level, element, serial), InvalidArgumentError,
                              "bytes");
        }
    }
    Bytes bytes(keySwitchKeyBytes(*f.context, 1, true));
    KeyGenerator generator(f.secret);
    CHECK_THROWS_TEXT(generator.writeSeededKey(bytes.data(), bytes.size, 1, 4, serial), InvalidArgumentError, "odd");
    CHECK_THROWS_TEXT(generator.writeSeededKey(bytes.data(), bytes.size, 9, 5, serial), LevelError, "levels");
}

// Uniform ternary secrets have 2N/3 non-zero coefficients within 8 sigma (120 of 683 at N = 1024), with a chance of 2^-49 to
// miss. Sparse, full, empty and constant ones are refused, however well they are packed.
TEST(secretsOfAnotherWeightAreRefused) {
    Fixture f;
    const std::size_t n = f.context->ringDegree();
    const auto packed = [&](std::size_t weight) {
        Bytes bytes(secretKeyBytes(*f.context));
        for (std::size_t i = 0; i < bytes.size; ++i) {
            unsigned byte = 0;
            for (std::size_t k = 0; k < 4; ++k) byte |= (4 * i + k < weight ? 1u + (i + k) % 2 : 0u) << (2 * k);
            bytes.data()[i] = static_cast<std::uint8_t>(byte);
        }
        return bytes;
    };
    const double middle = 2.0 * static_cast<double>(n) / 3, most = 8 * std::sqrt(2.0 * static_cast<double>(n) / 9);
    for (double inside : {std::ceil(middle - most), middle, std::floor(middle + most)}) {
        Bytes bytes = packed(static_cast<std::size_t>(inside));
        (void)importSecretKey(f.context, bytes.data(), bytes.size);
    }
    for (double outside :
         {0.0, 1.0, 32.0, 192.0, std::ceil(middle - most) - 1, std::floor(middle + most) + 1, static_cast<double>(n)}) {
        Bytes bytes = packed(static_cast<std::size_t>(outside));
        CHECK_THROWS_TEXT(importSecretKey(f.context, bytes.data(), bytes.size), FormatError, "make a new key");
    }
    SecretKey sparse = SecretKey::generateSparse(f.context, 32, testSeed(4));
    Bytes bytes(secretKeyBytes(*f.context));
    exportSecretKey(bytes.data(), bytes.size, sparse);
    CHECK_THROWS_TEXT(importSecretKey(f.context, bytes.data(), bytes.size), FormatError, "got 32");
}

TEST(secretKeys) {
    Fixture f;
    Bytes bytes(secretKeyBytes(*f.context));
    CHECK_EQUAL(bytes.size, 256u);
    exportSecretKey(bytes.data(), bytes.size, f.secret);
    const SecretKey back = importSecretKey(f.context, bytes.data(), bytes.size);
    CHECK(std::memcmp(back.ternary(), f.secret.ternary(), 1024) == 0);
    CHECK(sameWords(back.limb(0), f.secret.limb(0), f.context->moduli() * 1024));
    bytes.data()[100] |= 0x30;
    CHECK_THROWS_TEXT(importSecretKey(f.context, bytes.data(), bytes.size), FormatError, "coefficient 402");
}

TEST(everyTruncationIsRefused) {
    Fixture f;
    const SeededCiphertext fresh = encrypt(f.plaintext(512, 0), f.secret, serial);
    Bytes bytes(ciphertextBytes(*f.context, 0, 1, true)), secret(secretKeyBytes(*f.context));
    exportCiphertext(bytes.data(), bytes.size, fresh.ciphertext, &fresh.seed, serial);
    exportSecretKey(secret.data(), secret.size, f.secret);
    for (std::size_t size = 0; size < bytes.size; ++size) {
        CHECK_THROWS_TEXT(importCiphertext(f.context, {0, 1, true, false}, bytes.data(), size, serial), FormatError, "exactly");
    }
    CHECK_THROWS_TEXT(importCiphertext(f.context, {0, 1, true, false}, bytes.data(), bytes.size + 1, serial), FormatError,
                      "exactly");
    for (std::size_t size = 0; size < secret.size; ++size) {
        CHECK_THROWS_TEXT(importSecretKey(f.context, secret.data(), size), FormatError, "exactly");
    }
    const std::size_t wanted = keySwitchKeyBytes(*f.context, 2, true);
    Bytes key(wanted);
    for (std::size_t size : {std::size_t{0}, std::size_t{31}, std::size_t{32}, wanted - 1}) {
        CHECK_THROWS_TEXT(importKeySwitchKey(f.context, {2, 5, true}, key.data(), size, serial), FormatError, "exactly");
    }
}

TEST(badResiduesAreNamed) {
    Fixture f;
    const Ciphertext ciphertext = encrypt(f.plaintext(512, 2), f.secret, serial).ciphertext;
    Bytes bytes(ciphertextBytes(*f.context, 2, 1, false));
    for (int trial = 0; trial < 200; ++trial) {
        exportCiphertext(bytes.data(), bytes.size, ciphertext, nullptr, serial);
        const std::size_t poly = f.random.below(2), limb = f.random.below(3), index = f.random.below(1024);
        const std::uint64_t bad = trial % 2 == 0 ? f.context->modulus(limb).value : (std::uint64_t{1} << 48) - 1;
        std::memcpy(bytes.data() + ((poly * 3 + limb) * 1024 + index) * 6, &bad, 6);
        const std::string where =
            "polynomial " + std::to_string(poly) + ", limb " + std::to_string(limb) + ", index " + std::to_string(index) + ":";
        CHECK_THROWS_TEXT(importCiphertext(f.context, {2, 1, false, false}, bytes.data(), bytes.size, serial), FormatError,
                          where);
    }
}

// Random bytes never do worse than a FormatError.
TEST(noiseIsRefusedOrValid) {
    Fixture f;
    Bytes bytes(ciphertextBytes(*f.context, 2, 1, false));
    for (int trial = 0; trial < 20; ++trial) {
        for (std::size_t i = 0; i < bytes.size; ++i) bytes.data()[i] = static_cast<std::uint8_t>(f.random.next());
        CHECK_THROWS_TEXT(importCiphertext(f.context, {2, 1, false, false}, bytes.data(), bytes.size, serial), FormatError,
                          "not below its prime");
    }
}

TEST(streamingByLimbs) {
    Fixture f;
    KeySwitchKey key = f.generator.relinearizationKey(2, serial);
    const Segment from(key, false);
    KeySwitchKey copy(f.context, 2, KeySwitchKey::RELINEARIZATION);
    Segment to(copy, false);
    CHECK_EQUAL(from.bytes(), keySwitchKeyBytes(*f.context, 2, false));
    for (std::size_t first = 0; first < from.limbs(); first += 3) {
        const std::size_t count = std::min<std::size_t>(3, from.limbs() - first);
        Bytes bytes(from.offset(first + count) - from.offset(first));
        from.write(bytes.data(), bytes.size, first, count, serial);
        to.read(bytes.data(), bytes.size, first, count, serial);
    }
    CHECK(sameWords(copy.limb(0, 0, KeySwitchKey::B), key.limb(0, 0, KeySwitchKey::B), key.bytes() / 8));
    Bytes bytes(from.limbBytes(0));
    CHECK_THROWS_TEXT(from.write(bytes.data(), bytes.size, from.limbs(), 1, serial), InvalidArgumentError, "limbs");
    CHECK_THROWS_TEXT(to.read(bytes.data(), bytes.size - 1, 0, 1, serial), FormatError, "exactly");
}

TEST_MAIN()
