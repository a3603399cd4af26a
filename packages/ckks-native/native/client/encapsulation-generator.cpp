#include "encapsulation-generator.h"

#include <cstring>

#include "key-generator.h"

namespace heml {

namespace {

struct WipedSeed {
    Seed value;
    ~WipedSeed() { explicit_bzero(value.data(), value.size()); }
};

}  // namespace

EncapsulationKey generateEncapsulationKey(const SecretKey& dense, const std::shared_ptr<const Context>& ephemeral, unsigned level,
                                          Executor& executor) {
    const WipedSeed seed{randomSeed()};
    return generateEncapsulationKey(dense, ephemeral, level, seed.value, executor);
}

EncapsulationKey generateEncapsulationKey(const SecretKey& dense, const std::shared_ptr<const Context>& ephemeral, unsigned level,
                                          const Seed& seed, Executor& executor) {
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

}  // namespace heml
