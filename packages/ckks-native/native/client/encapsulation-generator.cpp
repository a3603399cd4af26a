#include "encapsulation-generator.h"

#include <cstring>

#include "key-generator.h"
#include "scheme/serialize.h"

namespace heml {

namespace {

struct WipedSeed {
    Seed value;
    ~WipedSeed() { explicit_bzero(value.data(), value.size()); }
};

// Both secrets in one context, and who makes keys from one to the other.
class Direction {
public:
    Direction(const SecretKey& from, const SecretKey& to, const std::shared_ptr<const Context>& context, const Seed& seed)
        : from_(from.inContext(context)), to_(to.inContext(context)), generator_(to_, seed) {}

    KeySwitchKey key(unsigned level, uint32_t element, Executor& executor) {
        return generator_.switchingKey(level, from_, element, executor);
    }
    void write(const std::function<uint8_t*(size_t)>& allocate, unsigned level, uint32_t element, Executor& executor) {
        const size_t bytes = keySwitchKeyBytes(*to_.context(), level, true);
        generator_.writeSeededSwitchingKey(allocate(bytes), bytes, level, from_, element, executor);
    }

private:
    const SecretKey from_, to_;
    KeyGenerator generator_;
};

// make(direction, level, element) for each key in its order.
template <class Make>
void forKeys(const SecretKey& dense, const EncapsulationContexts& contexts, const EncapsulationRequest& request, const Seed& seed,
             const Make& make) {
    if (!contexts.raising && !request.elements.empty()) {
        throw InvalidArgumentError("rotations from the ephemeral secret need the raising context");
    }
    const WipedSeed secretSeed{deriveSeed(seed, "ephemeral-secret")};
    const WipedSeed toSparseSeed{deriveSeed(seed, "ephemeral-to-sparse")};
    const WipedSeed toDenseSeed{deriveSeed(seed, "ephemeral-to-dense")};
    const SecretKey sparse = SecretKey::generateSparse(dense.context(), EPHEMERAL_WEIGHT, secretSeed.value);
    Direction toSparse(dense, sparse, contexts.ephemeral, toSparseSeed.value);
    make(toSparse, 0u, 1u);
    Direction toDense(sparse, dense, contexts.raising ? contexts.raising : dense.context(), toDenseSeed.value);
    make(toDense, request.level, 1u);
    for (const uint32_t element : request.elements) make(toDense, request.level, element);
}

}  // namespace

EncapsulationKey generateEncapsulationKey(const SecretKey& dense, const EncapsulationContexts& contexts,
                                          const EncapsulationRequest& request, Executor& executor) {
    const WipedSeed seed{randomSeed()};
    return generateEncapsulationKey(dense, contexts, request, seed.value, executor);
}

EncapsulationKey generateEncapsulationKey(const SecretKey& dense, const EncapsulationContexts& contexts,
                                          const EncapsulationRequest& request, const Seed& seed, Executor& executor) {
    std::vector<KeySwitchKey> keys;
    forKeys(dense, contexts, request, seed, [&](Direction& direction, unsigned level, uint32_t element) {
        keys.push_back(direction.key(level, element, executor));
    });
    EncapsulationKey key;
    key.toSparse = std::move(keys.front());
    key.toDense.assign(std::make_move_iterator(keys.begin() + 1), std::make_move_iterator(keys.end()));
    return key;
}

void writeEncapsulationKey(const SecretKey& dense, const EncapsulationContexts& contexts, const EncapsulationRequest& request,
                           const std::function<uint8_t*(size_t)>& allocate, Executor& executor) {
    const WipedSeed seed{randomSeed()};
    forKeys(dense, contexts, request, seed.value,
            [&](Direction& direction, unsigned level, uint32_t element) { direction.write(allocate, level, element, executor); });
}

}  // namespace heml
