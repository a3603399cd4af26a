// Secret, public and switching keys by their defining relations; encryption and decryption by the size of their errors.

#include "client/decryptor.h"
#include "client/encryptor.h"
#include "scheme/expand-seed.h"
#include "client/key-generator.h"
#include "client/sampler.h"
#include "runtime/scheduler.h"
#include "scheme/tests/scheme-helpers.h"

using namespace heml;
using namespace heml::test;

namespace {

SerialExecutor serial;

/// Centred coefficients of a limb in evaluation order.
std::vector<double> centred(const Context& context, std::size_t index, const Word* limb) {
    Limb copy(context.ringDegree());
    context.kernels().nttInverse(copy.data(), limb, context.tables(index));
    const Word p = context.modulus(index).value;
    std::vector<double> values(copy.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = copy[i] > p / 2 ? -static_cast<double>(p - copy[i]) : static_cast<double>(copy[i]);
    }
    return values;
}

/// The secret whose key this is, s', from its coefficients, modulo one prime, in evaluation order.
Limb transformed(const Context& context, const std::vector<int>& coefficients, std::size_t index) {
    const Word p = context.modulus(index).value;
    Limb limb(coefficients.size());
    for (std::size_t i = 0; i < limb.size(); ++i)
        limb[i] = coefficients[i] < 0 ? p - static_cast<Word>(-coefficients[i]) : static_cast<Word>(coefficients[i]);
    context.kernels().nttForward(limb.data(), limb.data(), context.tables(index));
    return limb;
}

std::vector<int> secretCoefficients(const SecretKey& secret) {
    return {secret.ternary(), secret.ternary() + secret.context()->ringDegree()};
}

/// sigma(s): X^i goes to X^(i g).
std::vector<int> automorphism(const std::vector<int>& s, std::uint64_t element) {
    std::vector<int> out(s.size());
    for (std::size_t i = 0; i < s.size(); ++i) {
        const std::uint64_t to = i * element % (2 * s.size());
        out[to % s.size()] = to < s.size() ? s[i] : -s[i];
    }
    return out;
}

/// b + a s - [target in digit] s' is e modulo special primes and P^-1 e modulo q, the same small e for all targets.
void checkKey(const KeySwitchKey& key, const SecretKey& secret, const std::vector<int>& from, bool square) {
    const Context& context = *key.context();
    const auto& kernels = context.kernels();
    const std::size_t n = context.ringDegree();
    for (std::size_t digit = 0; digit < key.digits(); ++digit) {
        std::vector<double> first;
        for (std::size_t target = 0; target < key.targets(); ++target) {
            const std::size_t index = key.modulusIndex(target);
            const Modulus& m = context.modulus(index);
            Limb rest(n);
            std::memcpy(rest.data(), key.limb(target, digit, KeySwitchKey::B), n * 8);
            kernels.mulAdd(rest.data(), key.limb(target, digit, KeySwitchKey::A), secret.limb(index), n, m);
            if (target < key.qLimbs() && target / context.digitLimbs() == digit) {
                Limb source = transformed(context, from, index);
                if (square) kernels.mul(source.data(), source.data(), source.data(), n, m);
                kernels.sub(rest.data(), rest.data(), source.data(), n, m);
            }
            if (target < key.qLimbs()) kernels.mulScalar(rest.data(), rest.data(), context.specialProduct(target), n, m);
            const std::vector<double> error = centred(context, index, rest.data());
            if (first.empty()) {
                first = error;
                for (double e : error) CHECK(std::abs(e) <= ERROR_BOUND);
                CHECK(std::abs(deviation(error) - ERROR_SIGMA) < 0.3);
            }
            CHECK(error == first);
        }
    }
}

Plaintext zeroPlaintext(const Encoder& encoder, unsigned level) {
    const double zero = 0;
    return encoder.encode(&zero, nullptr, 1, level, 1);
}

}  // namespace

TEST(secretKeysAreTernaryAndConsistent) {
    const auto context = makeContext(11, 3);
    const SecretKey key = SecretKey::generate(context);
    CHECK(secretCoefficients(key) != secretCoefficients(SecretKey::generate(context)));
    CHECK(secretCoefficients(SecretKey::generate(context, testSeed(1))) ==
          secretCoefficients(SecretKey::generate(context, testSeed(1))));
    const std::vector<int> s = secretCoefficients(key);
    std::size_t counts[3] = {};
    for (int v : s) {
        CHECK(v >= -1 && v <= 1);
        ++counts[v + 1];
    }
    for (std::size_t count : counts) CHECK(count > 580 && count < 790);
    for (std::size_t i = 0; i < context->moduli(); ++i) {
        CHECK(std::memcmp(key.limb(i), transformed(*context, s, i).data(), context->ringDegree() * 8) == 0);
    }
    const auto other = makeContext(11, 1, 40, 1, 1);
    CHECK(secretCoefficients(key.inContext(other)) == s);
    CHECK_THROWS(key.inContext(makeContext(10, 1)));
    const SecretKey sparse = SecretKey::generateSparse(context, 32);
    int weight = 0;
    for (int v : secretCoefficients(sparse)) weight += v != 0;
    CHECK_EQUAL(weight, 32);
}

TEST(secretKeyMemoryIsCountedAndReturned) {
    const auto pool = MemoryPool::create();
    const auto context = makeContext(11, 3, 45, 2, 2, nullptr, pool);
    const std::size_t before = pool->bytesInUse();
    {
        const SecretKey key = SecretKey::generate(context);
        CHECK(pool->bytesInUse() > before);
    }
    CHECK_EQUAL(pool->bytesInUse(), before);
}

TEST(switchingKeysSatisfyTheirRelation) {
    for (const Kernels* kernels : kernel::supportedKernels()) {
        const auto context = makeContext(11, 5, 45, 2, 2, kernels);
        const SecretKey secret = SecretKey::generate(context, testSeed(1));
        const SecretKey sparse = SecretKey::generateSparse(context, 32, testSeed(2));
        KeyGenerator generator(secret, testSeed(3));
        const std::vector<int> s = secretCoefficients(secret);
        for (unsigned level : {4u, 2u, 0u}) {
            checkKey(generator.relinearizationKey(level, serial), secret, s, true);
            for (std::uint32_t element : {context->galoisElement(1), context->galoisElement(-3), context->conjugation()}) {
                const KeySwitchKey key = generator.galoisKey(level, element, serial);
                CHECK_EQUAL(key.galoisElement(), element);
                checkKey(key, secret, automorphism(s, element), false);
            }
            const std::vector<int> from = secretCoefficients(sparse);
            checkKey(generator.switchingKey(level, sparse, 1, serial), secret, from, false);
            const std::uint32_t element = context->galoisElement(7);
            checkKey(generator.switchingKey(level, sparse, element, serial), secret, automorphism(from, element), false);
        }
    }
    const auto context = makeContext(10, 2);
    const SecretKey secret = SecretKey::generate(context);
    KeyGenerator generator(secret);
    CHECK_THROWS_TEXT(generator.galoisKey(1, 4, serial), InvalidArgumentError, "odd");
    CHECK_THROWS_TEXT(generator.relinearizationKey(9, serial), LevelError, "levels");
}

TEST(keysAreFreshReproducibleAndThreadIndependent) {
    const auto context = makeContext(10, 4);
    const SecretKey secret = SecretKey::generate(context, testSeed(1));
    Scheduler scheduler({3, nullptr, 0});
    KeyGenerator a(secret, testSeed(4)), b(secret, testSeed(4)), c(secret);
    const KeySwitchKey first = a.relinearizationKey(3, serial), same = b.relinearizationKey(3, scheduler);
    const KeySwitchKey second = a.relinearizationKey(3, serial), other = c.relinearizationKey(3, scheduler);
    CHECK(std::memcmp(first.limb(0, 0, KeySwitchKey::B), same.limb(0, 0, KeySwitchKey::B), first.bytes()) == 0);
    CHECK(first.seed != second.seed && first.seed != other.seed && second.seed != other.seed);
    KeySwitchKey copy(context, 3, KeySwitchKey::RELINEARIZATION);
    copy.seed = first.seed;
    expandA(copy, scheduler);
    for (std::size_t t = 0; t < first.targets(); ++t) {
        for (std::size_t d = 0; d < first.digits(); ++d) {
            CHECK(std::memcmp(first.limb(t, d, KeySwitchKey::A), copy.limb(t, d, KeySwitchKey::A), context->ringDegree() * 8) ==
                  0);
        }
    }
}

TEST(encryptionErrorsHaveTheTheoreticalSize) {
    const auto context = makeContext(12, 4);
    const Encoder encoder(context);
    const SecretKey secret = SecretKey::generate(context);
    KeyGenerator generator(secret);
    const PublicKey publicKey = generator.publicKey(3, serial);
    const double n = static_cast<double>(context->ringDegree());
    for (unsigned level : {0u, 1u, 3u}) {
        const Plaintext zero = zeroPlaintext(encoder, level);
        const SeededCiphertext fresh = encrypt(zero, secret, serial);
        Ciphertext again(context, level);
        expandC1(again, fresh.seed, serial);
        CHECK(std::memcmp(again.limb(1, 0), fresh.ciphertext.limb(1, 0), again.limbs() * context->ringDegree() * 8) == 0);
        const Ciphertext forAll = encrypt(zero, publicKey, serial);
        const Plaintext a = decrypt(fresh.ciphertext, secret, {.allLimbs = true}, serial);
        const Plaintext b = decrypt(forAll, secret, {.allLimbs = true}, serial);
        CHECK_EQUAL(a.level(), level);
        const double wantPublic = ERROR_SIGMA * std::sqrt(1 + 4 * n / 3);   // v e + e0 + e1 s, v and s of variance 2/3
        for (std::size_t i = 0; i < a.limbs(); ++i) {
            CHECK(std::abs(deviation(centred(*context, i, a.limb(i))) / ERROR_SIGMA - 1) < 0.06);
            CHECK(std::abs(deviation(centred(*context, i, b.limb(i))) / wantPublic - 1) < 0.08);
        }
    }
    CHECK_THROWS_TEXT(encrypt(zeroPlaintext(encoder, 3), generator.publicKey(2, serial), serial), LevelError, "level 2");
    CHECK_THROWS_TEXT(encrypt(zeroPlaintext(Encoder(makeContext(11, 1)), 0), secret, serial), ParameterMismatchError,
                      "parameters");
}

TEST(slotsSurviveEncryption) {
    Random random;
    Scheduler scheduler({2, nullptr, 0});
    for (unsigned logN : {10u, 12u, 14u}) {
        const auto context = makeContext(logN, 5);
        const Encoder encoder(context);
        const SecretKey secret = SecretKey::generate(context);
        KeyGenerator generator(secret);
        const PublicKey publicKey = generator.publicKey(4, scheduler);
        const double degree = static_cast<double>(context->ringDegree());
        for (std::size_t n : {context->slots(), context->slots() / 8, std::size_t{1}}) {
            for (unsigned level : {0u, 4u}) {
                const double scale = 0x1p40;
                const std::vector<double> re = randomValues(n, random), im = randomValues(n, random);
                const Plaintext plaintext = encoder.encode(re.data(), im.data(), n, level, scale);
                std::vector<double> gotRe(n), gotIm(n);
                const auto bits = [&](const Ciphertext& ciphertext) {
                    const Plaintext message = decrypt(ciphertext, secret, {}, scheduler);
                    CHECK(message.limbs() <= 3);
                    encoder.decode(gotRe.data(), gotIm.data(), n, message, scale, scheduler);
                    return std::min(precisionBits(gotRe, re), precisionBits(gotIm, im));
                };
        // A slot's error: 2n coefficients of the encryption's error and of the rounding; six deviations.
                const double slotNoise = 6 * std::sqrt(2 * static_cast<double>(n)) / scale;
                const double secretBits = bits(encrypt(plaintext, secret, scheduler).ciphertext);
                const double publicBits = bits(encrypt(plaintext, publicKey, scheduler));
                CHECK(secretBits > -std::log2(slotNoise * ERROR_SIGMA));
                CHECK(publicBits > -std::log2(slotNoise * ERROR_SIGMA * std::sqrt(1 + 4 * degree / 3)));
            }
        }
    }
}

TEST(degreeTwoAndTransparent) {
    const auto context = makeContext(11, 3);
    const Encoder encoder(context);
    const SecretKey secret = SecretKey::generate(context);
    Random random;
    const std::vector<double> in = randomValues(context->slots(), random);
    const Plaintext plaintext = encoder.encode(in.data(), nullptr, in.size(), 2, 0x1p40);
    const Ciphertext a = encrypt(plaintext, secret, serial).ciphertext;
    Ciphertext product(context, 2, 2);
    for (std::size_t i = 0; i < a.limbs(); ++i) {
        context->kernels().tensorProduct(product.limb(0, i), product.limb(1, i), product.limb(2, i), a.limb(0, i), a.limb(1, i),
                                         a.limb(0, i), a.limb(1, i), context->ringDegree(), context->modulus(i));
    }
    std::vector<double> out(in.size()), want(in.size());
    encoder.decode(out.data(), nullptr, out.size(), decrypt(product, secret, {}, serial), 0x1p80);
    for (std::size_t i = 0; i < in.size(); ++i) want[i] = in[i] * in[i];
    CHECK(precisionBits(out, want) > 28);

    Ciphertext transparent = a.clone();
    transparent.poly(1).zero();
    CHECK_THROWS_TEXT(decrypt(transparent, secret, {}, serial), InvalidArgumentError, "c1 is zero");
    (void)decrypt(transparent, secret, {.allowTransparent = true}, serial);
    const SecretKey foreign = SecretKey::generate(makeContext(11, 2));
    CHECK_THROWS_TEXT(decrypt(a, foreign, {}, serial), ParameterMismatchError, "parameters");
}

TEST_MAIN()
