// Every importer on damaged segments: wrong lengths, residues, seeds, shapes. Only heml::Error may come out, and what is
// accepted must export to the same bytes. At least 10,000 cases; meant to run under ASan and UBSan too.

#include <algorithm>
#include <functional>

#include "client/secret-key-segment.h"
#include "client/encryptor.h"
#include "client/key-generator.h"
#include "scheme/serialize.h"
#include "scheme/tests/scheme-helpers.h"

using namespace heml;
using namespace heml::test;

namespace {

SerialExecutor serial;
using Bytes = std::vector<std::uint8_t>;

struct Fuzz {
    std::shared_ptr<const Context> context = makeContext(10, 3);
    Encoder encoder{context};
    SecretKey secret = SecretKey::generate(context, testSeed(1));
    KeyGenerator generator{secret, testSeed(2)};
    Random random{77};
    std::size_t accepted = 0, refused = 0;

    Plaintext plaintext(unsigned level, bool extended) {
        const std::vector<double> re = randomValues(16, random);
        return encoder.encode(re.data(), nullptr, 16, level, 0x1p40, {extended, true});
    }

  /// Flips, overwrites, swaps, cuts or grows; sometimes all at once.
    Bytes damaged(Bytes bytes) {
        for (unsigned times = 1 + random.below(3); times > 0 && !bytes.empty(); --times) {
            const std::size_t at = random.below(bytes.size());
            switch (random.below(6)) {
                case 0:
                    bytes[at] ^= static_cast<std::uint8_t>(1u << random.below(8));
                    break;
                case 1:
                    bytes[at] = static_cast<std::uint8_t>(random.next());
                    break;
                case 2:
                    std::fill_n(bytes.begin() + at, std::min<std::size_t>(bytes.size() - at, 1 + random.below(12)), 0xff);
                    break;
                case 3:
                    std::fill_n(bytes.begin() + at, bytes.size() - at, 0);
                    break;
                case 4:
                    bytes.resize(at);
                    break;
                default:
                    bytes.resize(bytes.size() + 1 + random.below(64), 0x5a);
            }
        }
    // exactly as long as it is: reading past the end is then seen by the sanitizer
        bytes.shrink_to_fit();
        return bytes;
    }

    void run(const Bytes& good, std::size_t count, const std::function<Bytes(const Bytes&)>& readAndWrite) {
        CHECK(readAndWrite(good) == good);
        for (std::size_t i = 0; i < count; ++i) {
            const Bytes bytes = damaged(good);
            try {
                CHECK(readAndWrite(bytes) == bytes);
                ++accepted;
            } catch (const Error&) {
                ++refused;
            }
        }
    }
};

void damageCiphertexts(Fuzz& f, unsigned level, bool seeded) {
    const auto& c = *f.context;
    const SeededCiphertext fresh = encrypt(f.plaintext(level, false), f.secret, testSeed(9), serial);
    Bytes good(ciphertextBytes(c, level, 1, seeded));
    exportCiphertext(good.data(), good.size(), fresh.ciphertext, seeded ? &fresh.seed : nullptr, serial);
    f.run(good, 1000, [&](const Bytes& in) {
        const Ciphertext read = importCiphertext(f.context, {level, 1, seeded, false}, in.data(), in.size(), serial);
        Bytes out(ciphertextBytes(c, level, 1, seeded));
        Seed seed;
        std::copy_n(in.data(), std::min(in.size(), seed.size()), seed.begin());
        exportCiphertext(out.data(), out.size(), read, seeded ? &seed : nullptr, serial);
        return out;
    });
}

void damageGaloisKeys(Fuzz& f, unsigned level, bool seeded) {
    const auto& c = *f.context;
    const std::uint32_t element = c.galoisElement(3);
    const KeySwitchKey key = f.generator.galoisKey(level, element, serial);
    Bytes good(keySwitchKeyBytes(c, level, seeded));
    exportKeySwitchKey(good.data(), good.size(), key, seeded, serial);
    for (const bool packed : {false, true}) {
        f.run(good, 700, [&](const Bytes& in) {
            const KeySwitchKey read =
                importKeySwitchKey(f.context, {level, element, seeded, packed}, in.data(), in.size(), serial);
            Bytes out(keySwitchKeyBytes(c, level, seeded));
            exportKeySwitchKey(out.data(), out.size(), read, seeded, serial);
            return out;
        });
    }
}

void damagePublicKeys(Fuzz& f, unsigned level, bool seeded) {
    const auto& c = *f.context;
    const PublicKey publicKey = f.generator.publicKey(level, serial);
    Bytes good(publicKeyBytes(c, level, seeded));
    exportPublicKey(good.data(), good.size(), publicKey, seeded, serial);
    f.run(good, 700, [&](const Bytes& in) {
        const PublicKey read = importPublicKey(f.context, level, seeded, in.data(), in.size(), serial);
        Bytes out(publicKeyBytes(c, level, seeded));
        exportPublicKey(out.data(), out.size(), read, seeded, serial);
        return out;
    });
}

}  // namespace

TEST(damagedSegments) {
    Fuzz f;
    const auto& c = *f.context;
    for (const bool seeded : {true, false}) {
        for (const unsigned level : {0u, 2u}) {
            damageCiphertexts(f, level, seeded);
            damageGaloisKeys(f, level, seeded);
            damagePublicKeys(f, level, seeded);
        }
    }
    for (const bool extended : {true, false}) {
        const Plaintext plaintext = f.plaintext(1, extended);
        const unsigned logRepeat = plaintext.logRepeat();
        Bytes good(plaintextBytes(c, 1, extended, logRepeat));
        exportPlaintext(good.data(), good.size(), plaintext, serial);
        f.run(good, 800, [&](const Bytes& in) {
            const Plaintext read = importPlaintext(f.context, {1, extended, logRepeat}, in.data(), in.size(), serial);
            Bytes out(plaintextBytes(c, 1, extended, logRepeat));
            exportPlaintext(out.data(), out.size(), read, serial);
            return out;
        });
    }
    Bytes good(secretKeyBytes(c));
    exportSecretKey(good.data(), good.size(), f.secret);
    f.run(good, 1500, [&](const Bytes& in) {
        const SecretKey read = importSecretKey(f.context, in.data(), in.size());
        Bytes out(secretKeyBytes(c));
        exportSecretKey(out.data(), out.size(), read);
        return out;
    });
    std::printf("  %zu damaged segments: %zu refused, %zu still valid\n", f.accepted + f.refused, f.refused, f.accepted);
    CHECK(f.accepted + f.refused >= 10000);
    CHECK(f.refused > 5000);
}

// Shapes that no file of ours claims: levels, degrees, elements and periods out of range, on segments of any size.
TEST(impossibleShapes) {
    Fuzz f;
    const Bytes bytes(4096, 1);
    for (int i = 0; i < 2000; ++i) {
        const unsigned level = f.random.below(6), degree = f.random.below(5), logRepeat = f.random.below(14);
        const bool flag = f.random.below(2) == 1;
        const auto element = static_cast<std::uint32_t>(f.random.below(5000));
        const std::size_t size = f.random.below(bytes.size());
        try {
            switch (f.random.below(4)) {
                case 0:
                    importCiphertext(f.context, {level, degree, flag, false}, bytes.data(), size, serial);
                    break;
                case 1:
                    importKeySwitchKey(f.context, {level, element, flag}, bytes.data(), size, serial);
                    break;
                case 2:
                    importPlaintext(f.context, {level, flag, logRepeat}, bytes.data(), size, serial);
                    break;
                default:
                    importPublicKey(f.context, level, flag, bytes.data(), size, serial);
            }
        } catch (const Error&) {
            continue;
        }
    }
  // right lengths, wrong elements: even, or not below 2N
    Bytes key(keySwitchKeyBytes(*f.context, 0, true), 0);
    for (const std::uint32_t element : {2u, 4u, 2048u, 2049u, 4096u, 0xffffffffu}) {
        CHECK_THROWS_TEXT(importKeySwitchKey(f.context, {0, element, true}, key.data(), key.size(), serial), Error, "");
    }
}

TEST_MAIN()
