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
    : BaseConverter(std::move(sources), std::move(targets), {}) {}

BaseConverter::BaseConverter(std::vector<Modulus> sources, std::vector<Modulus> targets, const std::vector<Word>& factors)
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
    if (!factors.empty() && factors.size() != targets_.size()) {
        throw std::invalid_argument("baseConverter: expected one factor per target, got " + std::to_string(factors.size()) +
                                    " for " + std::to_string(targets_.size()));
    }
    for (std::size_t j = 0; j < targets_.size(); ++j) {
        const Modulus& target = targets_[j];
        const auto push = [&](Word weight) {
            if (!factors.empty()) weight = mulMod(weight, factors[j], target);
            weights_.push_back(weight);
            quotients_.push_back(makeShoup(weight, target).quotient);
        };
        for (std::size_t i = 0; i < count; ++i) push(productWithout(sources_, i, target));
        push(negateMod(productWithout(sources_, count, target), target));
    }
}

}  // namespace heml::kernel
