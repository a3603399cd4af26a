#include "expand-seed.h"

#include <algorithm>

#include "uniform-sampler.h"

namespace heml {

namespace {
// Residues of a key that are sampled and then packed while they are in the first-level cache: one step of the sampler.
constexpr size_t BLOCK = KECCAK_LANES * SAMPLES_PER_BLOCK;
}  // namespace

void expandLimb(uint64_t* out, const Context& context, size_t modulusIndex, const Seed& seed, uint64_t domain,
                Expansion expansion) {
    sampleUniform(out, 0, context.ringDegree(), context.modulus(modulusIndex).value, seed, domain, expansion, context.kernels());
}

void expandA(KeySwitchKey& key, Executor& executor) {
    const Context& context = *key.context();
    const size_t digits = key.digits(), n = context.ringDegree();
    executor.parallelFor(key.targets() * digits, [&](size_t begin, size_t end) {
        alignas(64) uint64_t block[BLOCK];
        for (size_t i = begin; i < end; ++i) {
            const size_t target = i / digits, digit = i % digits;
            const uint64_t modulus = context.modulus(key.modulusIndex(target)).value;
            for (size_t at = 0; at < n; at += BLOCK) {
                const size_t count = std::min(BLOCK, n - at);
                sampleUniform(block, at, at + count, modulus, key.seed, digit, key.expansion, context.kernels());
                key.putResidues(target, digit, KeySwitchKey::A, at, count, block);
            }
        }
    });
}

void expandA(PublicKey& key, Executor& executor) {
    executor.parallelFor(key.limbs(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) expandLimb(key.a().limb(i), *key.context(), i, key.seed, 0, Expansion::Shake128);
    });
}

void expandC1(Ciphertext& ciphertext, const Seed& seed, Executor& executor) {
    executor.parallelFor(ciphertext.limbs(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i)
            expandLimb(ciphertext.limb(1, i), *ciphertext.context(), i, seed, 0, Expansion::Shake128);
    });
}

}  // namespace heml
