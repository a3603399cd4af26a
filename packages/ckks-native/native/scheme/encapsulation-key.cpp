#include "encapsulation-key.h"

#include <algorithm>
#include <string>

namespace heml {

namespace {

std::vector<uint64_t> leading(const std::vector<uint64_t>& primes, size_t count) {
    return {primes.begin(), primes.begin() + static_cast<std::ptrdiff_t>(std::min(count, primes.size()))};
}

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
    spec.special = leading(from.special, specials);
    spec.digitLimbs = static_cast<unsigned>(from.levels[0].size());
    return context.sibling(std::move(spec));
}

std::shared_ptr<const Context> raisingContext(const Context& context) {
    ParametersSpec spec = context.spec();
    spec.special = leading(spec.special, spec.levels[0].size());
    spec.digitLimbs = static_cast<unsigned>(context.qLimbs());
    return context.sibling(std::move(spec));
}

const KeySwitchKey* EncapsulationKey::raising(const Context& main, uint32_t galoisElement) const {
    if (toDense.front().context()->sameAs(main)) return nullptr;
    for (const KeySwitchKey& key : toDense) {
        if (key.galoisElement() == galoisElement) return &key;
    }
    return nullptr;
}

bool EncapsulationKey::serves(const EncapsulationKey& other, const Context& main) const {
    if (level() < other.level()) return false;
    if (!other.raising(main, 1)) return true;
    return std::all_of(other.toDense.begin(), other.toDense.end(),
                       [&](const KeySwitchKey& key) { return raising(main, key.galoisElement()) != nullptr; });
}

void EncapsulationKey::pack(Executor& executor) {
    toSparse.pack(executor);
    for (KeySwitchKey& key : toDense) key.pack(executor);
}

}  // namespace heml
