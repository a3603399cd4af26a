#include "mixed-radix.h"

namespace heml {

namespace {

constexpr size_t MAX_LIMBS = 24;

// The residue of a centred digit |v| < 2^47 modulo a prime that may be smaller than it.
uint64_t residueOf(int64_t digit, const kernel::Modulus& modulus) {
    const uint64_t magnitude = kernel::reduceMod(static_cast<uint64_t>(digit < 0 ? -digit : digit), modulus);
    return digit < 0 ? kernel::negateMod(magnitude, modulus) : magnitude;
}

}  // namespace

MixedRadix::MixedRadix(const Context& context, size_t limbs) {
    if (limbs == 0 || limbs > MAX_LIMBS) throw InvalidArgumentError("MixedRadix: 1 to 24 limbs");
    double weight = 1;
    for (size_t i = 0; i < limbs; ++i) {
        const kernel::Modulus& modulus = context.modulus(i);
        std::vector<uint64_t> product{1};
        for (size_t j = 0; j < i; ++j) {
            product.push_back(kernel::mulMod(product[j], kernel::reduceMod(moduli_[j].value, modulus), modulus));
        }
        inverse_.push_back(kernel::inverseMod(product[i], modulus));
        weight_.push_back(weight);
        weight *= static_cast<double>(modulus.value);
        product_.push_back(std::move(product));
        moduli_.push_back(modulus);
    }
}

double MixedRadix::value(const uint64_t* const* residues, size_t at) const {
    int64_t digits[MAX_LIMBS];
    double value = 0;
    for (size_t i = 0; i < moduli_.size(); ++i) {
        const kernel::Modulus& modulus = moduli_[i];
        uint64_t rest = residues[i][at];
        for (size_t j = 0; j < i; ++j) {
            const uint64_t known = kernel::mulMod(residueOf(digits[j], modulus), product_[i][j], modulus);
            rest = kernel::subMod(rest, known, modulus);
        }
        rest = kernel::mulMod(rest, inverse_[i], modulus);
        digits[i] = rest > modulus.value / 2 ? static_cast<int64_t>(rest) - static_cast<int64_t>(modulus.value)
                                             : static_cast<int64_t>(rest);
        value += static_cast<double>(digits[i]) * weight_[i];
    }
    return value;
}

void MixedRadix::values(double* out, const uint64_t* const* residues, size_t first, size_t count, size_t gap) const {
    if (moduli_.size() > 1) {
        for (size_t j = 0; j < count; ++j) out[j] = value(residues, (first + j) * gap);
        return;
    }
    const uint64_t* only = residues[0];
    const uint64_t p = moduli_[0].value;
    for (size_t j = 0; j < count; ++j) {
        const uint64_t rest = only[(first + j) * gap];
        out[j] = static_cast<double>(static_cast<int64_t>(rest) - static_cast<int64_t>(rest > p / 2 ? p : 0));
    }
}

}  // namespace heml
