#include "base-converter.h"

#include <stdexcept>
#include <string>
#include <utility>

namespace heml::kernel {

namespace {

/// Product of all q_k but q_skip, modulo m; skip = count takes them all.
Word productWithout(const std::vector<Modulus>& moduli, std::size_t skip, const Modulus& m) {
    Word product = 1;
    for (std::size_t k = 0; k < moduli.size(); ++k) {
        if (k != skip) product = mulMod(product, moduli[k].value % m.value, m);
    }
    return product;
}

}  // namespace

BaseConverter::BaseConverter(std::vector<Modulus> sources, std::vector<Modulus> targets)
    : sources_(std::move(sources)), targets_(std::move(targets)) {
    const std::size_t count = sources_.size();
    if (count == 0 || count > MAX_CONVERTER_SOURCES || targets_.empty()) {
        throw std::invalid_argument("baseConverter: expected 1 to 64 source primes and at least one target, got " +
                                    std::to_string(count) + " and " + std::to_string(targets_.size()));
    }
    for (std::size_t i = 0; i < count; ++i) {
        const Word cofactor = productWithout(sources_, i, sources_[i]);
        if (cofactor == 0) throw std::invalid_argument("baseConverter: expected distinct source primes");
        factors_.push_back(makeShoup(inverseMod(cofactor, sources_[i]), sources_[i]));
    }
    for (const Modulus& target : targets_) {
        for (std::size_t i = 0; i < count; ++i) weights_.push_back(productWithout(sources_, i, target));
        weights_.push_back(negateMod(productWithout(sources_, count, target), target));
    }
}

}  // namespace heml::kernel
