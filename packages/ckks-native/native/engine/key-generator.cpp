#include "key-generator.h"

#include <cstring>
#include <string>
#include <vector>

#include "expand-seed.h"
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

template <class Source>
KeySwitchKey KeyGenerator::makeKey(unsigned level, uint32_t galoisElement, Executor& executor, Source source) {
    const auto& context = secret_.context();
    const auto& kernels = context->kernels();
    const size_t n = context->ringDegree();
    const Randomness randomness(seed_, made_++);
    KeySwitchKey key(context, level, galoisElement);
    key.seed = randomness.uniform;
    expandA(key, executor);

    std::vector<SmallPoly> errors;
    for (size_t digit = 0; digit < key.digits(); ++digit) {
        errors.emplace_back(*context, SmallPoly::Kind::Error, randomness.error, digit);
    }
    executor.parallelFor(key.targets(), [&](size_t begin, size_t end) {
        Poly from(context->pool(), 1, n, MemoryKind::Scratch, true);
        for (size_t target = begin; target < end; ++target) {
            const size_t index = key.modulusIndex(target);
            const kernel::Modulus& modulus = context->modulus(index);
            for (size_t digit = 0; digit < key.digits(); ++digit) {
                uint64_t* b = key.limb(target, digit, KeySwitchKey::B);
                errors[digit].limb(b, index);
                if (target < key.qLimbs()) kernels.mulScalar(b, b, context->specialInverse(target), n, modulus);
                kernels.mulSub(b, key.limb(target, digit, KeySwitchKey::A), secret_.limb(index), n, modulus);
            }
            if (target >= key.qLimbs()) continue;
            source(from.limb(0), index);
            uint64_t* own = key.limb(target, target / context->digitLimbs(), KeySwitchKey::B);
            kernels.add(own, own, from.limb(0), n, modulus);
        }
    });
    return key;
}

KeySwitchKey KeyGenerator::relinearizationKey(unsigned level, Executor& executor) {
    const Context& context = *secret_.context();
    return makeKey(level, KeySwitchKey::RELINEARIZATION, executor, [&](uint64_t* out, size_t index) {
        context.kernels().mul(out, secret_.limb(index), secret_.limb(index), context.ringDegree(), context.modulus(index));
    });
}

KeySwitchKey KeyGenerator::galoisKey(unsigned level, uint32_t galoisElement, Executor& executor) {
    const Context& context = *secret_.context();
    if (galoisElement % 2 == 0 || galoisElement >= 2 * context.ringDegree()) {
        throw InvalidArgumentError("a Galois element is odd and below 2N = " + std::to_string(2 * context.ringDegree()) +
                                   ", got " + std::to_string(galoisElement));
    }
    const kernel::AutomorphismTable table(static_cast<int>(context.logN()), galoisElement);
    return makeKey(level, galoisElement, executor, [&](uint64_t* out, size_t index) {
        context.kernels().permute(out, secret_.limb(index), table, 0, context.ringDegree());
    });
}

KeySwitchKey KeyGenerator::switchingKey(unsigned level, const SecretKey& from, Executor& executor) {
    const Context& context = *secret_.context();
    if (!from.context()->sameAs(context)) {
        throw ParameterMismatchError("switchingKey: bring both secrets into one context first (SecretKey::inContext)");
    }
    return makeKey(level, 1, executor, [&](uint64_t* out, size_t index) {
        std::memcpy(out, from.limb(index), context.ringDegree() * sizeof(uint64_t));
    });
}

}  // namespace heml
