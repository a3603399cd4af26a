#include "key-generator.h"

#include <cstring>
#include <string>
#include <vector>

#include "scheme/expand-seed.h"
#include "scheme/serialize.h"
#include "small-poly.h"

namespace heml {

// The two seeds of one key; SHAKE256 hides the generator's seed and the private one from whoever sees the public one.
class KeyGenerator::Randomness {
public:
    Randomness(const Seed& seed, uint64_t number)
        : uniform(deriveSeed(seed, "key-uniform", number)), error(deriveSeed(seed, "key-error", number)) {}
    ~Randomness() { explicit_bzero(error.data(), error.size()); }
    Randomness(const Randomness&) = delete;
    Randomness& operator=(const Randomness&) = delete;

    Seed uniform, error;
};

KeyGenerator::KeyGenerator(const SecretKey& secret) : KeyGenerator(secret, randomSeed()) {}
KeyGenerator::KeyGenerator(const SecretKey& secret, const Seed& seed) : secret_(secret), seed_(seed) {}
KeyGenerator::~KeyGenerator() { explicit_bzero(seed_.data(), seed_.size()); }

PublicKey KeyGenerator::publicKey(unsigned level, Executor& executor) {
    const auto& context = secret_.context();
    const auto& kernels = context->kernels();
    const size_t n = context->ringDegree();
    const Randomness randomness(seed_, made_++);
    PublicKey key(context, level);
    key.seed = randomness.uniform;
    expandA(key, executor);
    const SmallPoly error(*context, SmallPoly::Kind::Error, randomness.error, 0);
    executor.parallelFor(key.limbs(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            error.limb(key.b().limb(i), i);
            kernels.mulSub(key.b().limb(i), key.a().limb(i), secret_.limb(i), n, context->modulus(i));
        }
    });
    return key;
}

namespace {

struct LimbPair {
    uint64_t* b;
    uint64_t* a;
};

}  // namespace

template <class Place, class Done>
void KeyGenerator::makeLimbs(const Randomness& randomness, unsigned level, Executor& executor, const Source& source, Place place,
                             Done done) {
    const Context& context = *secret_.context();
    const auto& kernels = context.kernels();
    const size_t n = context.ringDegree(), digits = context.digitsAt(level), qLimbs = context.limbsAt(level);
    std::vector<SmallPoly> errors;
    for (size_t digit = 0; digit < digits; ++digit) {
        errors.emplace_back(context, SmallPoly::Kind::Error, randomness.error, digit);
    }
    executor.parallelFor(qLimbs + context.specialLimbs(), [&](size_t begin, size_t end) {
        Poly scratch(context.pool(), 3, n, MemoryKind::Scratch, true);
        uint64_t* from = scratch.limb(2);
        for (size_t target = begin; target < end; ++target) {
            const bool isQ = target < qLimbs;
            const size_t index = isQ ? target : context.qLimbs() + (target - qLimbs);
            const kernel::Modulus& modulus = context.modulus(index);
            if (isQ) source(from, index);
            for (size_t digit = 0; digit < digits; ++digit) {
                const LimbPair limbs = place(target, digit, scratch);
                expandLimb(limbs.a, context, index, randomness.uniform, digit, Expansion::TurboShake128);
                errors[digit].limb(limbs.b, index);
                if (isQ) kernels.mulScalar(limbs.b, limbs.b, context.specialInverse(target), n, modulus);
                kernels.mulSub(limbs.b, limbs.a, secret_.limb(index), n, modulus);
                if (isQ && target / context.digitLimbs() == digit) kernels.add(limbs.b, limbs.b, from, n, modulus);
                done(target, digit, limbs.b);
            }
        }
    });
}

KeySwitchKey KeyGenerator::makeKey(unsigned level, uint32_t galoisElement, Executor& executor, const Source& source) {
    const Randomness randomness(seed_, made_++);
    KeySwitchKey key(secret_.context(), level, galoisElement);
    key.seed = randomness.uniform;
    makeLimbs(
        randomness, level, executor, source,
        [&](size_t target, size_t digit, Poly&) {
            return LimbPair{key.limb(target, digit, KeySwitchKey::B), key.limb(target, digit, KeySwitchKey::A)};
        },
        [](size_t, size_t, const uint64_t*) {});
    return key;
}

void KeyGenerator::write(uint8_t* out, size_t size, unsigned level, Executor& executor, const Source& source) {
    const Context& context = *secret_.context();
    if (size != keySwitchKeyBytes(context, level, true)) {
        throw InvalidArgumentError("a seeded key of level " + std::to_string(level) + " has " +
                                   std::to_string(keySwitchKeyBytes(context, level, true)) + " bytes, got " +
                                   std::to_string(size));
    }
    const size_t n = context.ringDegree(), digits = context.digitsAt(level);
    const Randomness randomness(seed_, made_++);
    std::memcpy(out, randomness.uniform.data(), SEED_BYTES);
    makeLimbs(
        randomness, level, executor, source,
        [](size_t, size_t, Poly& scratch) { return LimbPair{scratch.limb(0), scratch.limb(1)}; },
        [&](size_t target, size_t digit, const uint64_t* b) {
            writePacked(out + SEED_BYTES + (target * digits + digit) * n * WORD_BYTES, b, n, context.kernels());
        });
}

void KeyGenerator::writeSeededKey(uint8_t* out, size_t size, unsigned level, uint32_t galoisElement, Executor& executor) {
    const bool squared = galoisElement == KeySwitchKey::RELINEARIZATION;
    write(out, size, level, executor, squared ? squaredSecret() : permuted(secret_, galoisElement));
}

void KeyGenerator::writeSeededSwitchingKey(uint8_t* out, size_t size, unsigned level, const SecretKey& from,
                                           uint32_t galoisElement, Executor& executor) {
    write(out, size, level, executor, permuted(from, galoisElement));
}

KeyGenerator::Source KeyGenerator::squaredSecret() const {
    return [this](uint64_t* out, size_t index) {
        const Context& context = *secret_.context();
        context.kernels().mul(out, secret_.limb(index), secret_.limb(index), context.ringDegree(), context.modulus(index));
    };
}

KeyGenerator::Source KeyGenerator::permuted(const SecretKey& from, uint32_t galoisElement) const {
    const Context& context = *secret_.context();
    if (!from.context()->sameAs(context)) {
        throw ParameterMismatchError("switchingKey: bring both secrets into one context first (SecretKey::inContext)");
    }
    if (galoisElement % 2 == 0 || galoisElement >= 2 * context.ringDegree()) {
        throw InvalidArgumentError("a Galois element is odd and below 2N = " + std::to_string(2 * context.ringDegree()) +
                                   ", got " + std::to_string(galoisElement));
    }
    auto table = std::make_shared<const kernel::AutomorphismTable>(static_cast<int>(context.logN()), galoisElement);
    return [&from, table](uint64_t* out, size_t index) {
        const Context& c = *from.context();
        c.kernels().permute(out, from.limb(index), *table, 0, c.ringDegree());
    };
}

KeySwitchKey KeyGenerator::relinearizationKey(unsigned level, Executor& executor) {
    return makeKey(level, KeySwitchKey::RELINEARIZATION, executor, squaredSecret());
}

KeySwitchKey KeyGenerator::galoisKey(unsigned level, uint32_t galoisElement, Executor& executor) {
    return makeKey(level, galoisElement, executor, permuted(secret_, galoisElement));
}

KeySwitchKey KeyGenerator::switchingKey(unsigned level, const SecretKey& from, uint32_t galoisElement, Executor& executor) {
    return makeKey(level, galoisElement, executor, permuted(from, galoisElement));
}

}  // namespace heml
