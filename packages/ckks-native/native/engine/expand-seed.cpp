#include "expand-seed.h"

#include "sampler.h"

namespace heml {

void expandLimb(uint64_t* out, const Context& context, size_t modulusIndex, const Seed& seed, uint64_t domain) {
    sampleUniform(out, 0, context.ringDegree(), context.modulus(modulusIndex).value, seed, domain,
                  keccakPermute8For(context.kernels().name));
}

void expandA(KeySwitchKey& key, Executor& executor) {
    const size_t digits = key.digits();
    executor.parallelFor(key.targets() * digits, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            const size_t target = i / digits, digit = i % digits;
            expandLimb(key.limb(target, digit, KeySwitchKey::A), *key.context(), key.modulusIndex(target), key.seed, digit);
        }
    });
}

void expandA(PublicKey& key, Executor& executor) {
    executor.parallelFor(key.limbs(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) expandLimb(key.a().limb(i), *key.context(), i, key.seed, 0);
    });
}

void expandC1(Ciphertext& ciphertext, const Seed& seed, Executor& executor) {
    executor.parallelFor(ciphertext.limbs(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) expandLimb(ciphertext.limb(1, i), *ciphertext.context(), i, seed, 0);
    });
}

}  // namespace heml
