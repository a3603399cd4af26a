#include "expand-seed.h"

#include "poly.h"
#include "uniform-sampler.h"

namespace heml {

void expandLimb(uint64_t* out, const Context& context, size_t modulusIndex, const Seed& seed, uint64_t domain) {
    sampleUniform(out, 0, context.ringDegree(), context.modulus(modulusIndex).value, seed, domain,
                  keccakPermute8For(context.kernels().name));
}

void expandA(KeySwitchKey& key, Executor& executor) {
    const Context& context = *key.context();
    const size_t digits = key.digits(), n = context.ringDegree();
    executor.parallelFor(key.targets() * digits, [&](size_t begin, size_t end) {
        // a packed key's limb is packed while it is in the cache
        Poly expanded;
        if (key.packed()) expanded = Poly(context.pool(), 1, n, MemoryKind::Scratch);
        for (size_t i = begin; i < end; ++i) {
            const size_t target = i / digits, digit = i % digits;
            uint64_t* out = key.packed() ? expanded.limb(0) : key.limb(target, digit, KeySwitchKey::A);
            expandLimb(out, context, key.modulusIndex(target), key.seed, digit);
            if (key.packed()) key.putResidues(target, digit, KeySwitchKey::A, 0, n, out);
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
