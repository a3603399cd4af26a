#include "encapsulation-key.h"

#include <string>

namespace heml {

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

}  // namespace heml
