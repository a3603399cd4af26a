#include "bootstrap/encapsulation.h"

#include <cstring>
#include <string>

#include "evaluator.h"
#include "evaluator/operands.h"
#include "key-generator.h"

namespace heml {

namespace {

struct WipedSeed {
    Seed value;
    ~WipedSeed() { explicit_bzero(value.data(), value.size()); }
};

}  // namespace

std::shared_ptr<const Context> ephemeralContext(const Context& context, size_t specials) {
    const ParametersSpec& from = context.spec();
    if (specials == 0 || specials > from.special.size()) {
        throw InvalidArgumentError("the ephemeral secret uses 1 to " + std::to_string(from.special.size()) +
                                   " special primes, got " + std::to_string(specials));
    }
    ParametersSpec spec;
    spec.logN = from.logN;
    spec.levels = {from.levels[0]};
    spec.special.assign(from.special.begin(), from.special.begin() + static_cast<std::ptrdiff_t>(specials));
    spec.digitLimbs = static_cast<unsigned>(from.levels[0].size());
    return context.sibling(std::move(spec));
}

void EncapsulationKey::pack(Executor& executor) {
    toSparse.pack(executor);
    toDense.pack(executor);
}

EncapsulationKey generateEncapsulationKey(const SecretKey& dense, const std::shared_ptr<const Context>& ephemeral,
                                          unsigned level, Executor& executor) {
    const WipedSeed seed{randomSeed()};
    return generateEncapsulationKey(dense, ephemeral, level, seed.value, executor);
}

EncapsulationKey generateEncapsulationKey(const SecretKey& dense, const std::shared_ptr<const Context>& ephemeral,
                                          unsigned level, const Seed& seed, Executor& executor) {
    const WipedSeed secretSeed{deriveSeed(seed, "ephemeral-secret")};
    const WipedSeed toSparseSeed{deriveSeed(seed, "ephemeral-to-sparse")};
    const WipedSeed toDenseSeed{deriveSeed(seed, "ephemeral-to-dense")};
    const SecretKey sparse = SecretKey::generateSparse(dense.context(), EPHEMERAL_WEIGHT, secretSeed.value);
    const SecretKey sparseEphemeral = sparse.inContext(ephemeral);
    const SecretKey denseEphemeral = dense.inContext(ephemeral);
    EncapsulationKey key;
    key.toSparse = KeyGenerator(sparseEphemeral, toSparseSeed.value).switchingKey(0, denseEphemeral, executor);
    key.toDense = KeyGenerator(dense, toDenseSeed.value).switchingKey(level, sparse, executor);
    return key;
}

Ciphertext modRaise(const Ciphertext& a, const EncapsulationKey& key, unsigned level, Executor& executor) {
    requireDegreeOne(a, "modRaise");
    if (a.level() != 0) throw LevelError("modRaise starts at level 0, got " + std::to_string(a.level()));
    if (level == 0 || level > key.level()) {
        throw LevelError("modRaise with this key reaches levels 1 to " + std::to_string(key.level()) + ", got " +
                         std::to_string(level));
    }
    const Ciphertext sparse = applyGalois(changeContext(a, key.toSparse.context(), executor), key.toSparse, executor);
    const Ciphertext raised = modRaise(changeContext(sparse, a.context(), executor), level, executor);
    return applyGalois(raised, key.toDense, executor);
}

}  // namespace heml
