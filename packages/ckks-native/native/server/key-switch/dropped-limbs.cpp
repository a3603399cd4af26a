#include "dropped-limbs.h"

namespace heml {

DroppedLimbs::DroppedLimbs(const Context& context, unsigned level)
    : context_(context), level_(level), limbs_(context.limbsAt(level)), kept_(context.limbsAt(level - 1)) {}

uint64_t DroppedLimbs::factor(size_t i) const {
    return count() == 1 ? 1 : context_.rescaleConverter(level_).sourceFactor(i).factor;
}

void DroppedLimbs::toCoefficients(size_t i, uint64_t* dst, const uint64_t* evaluation) const {
    const kernel::NttTables& tables = context_.tables(kept_ + i);
    if (count() == 1) {
        context_.kernels().nttInverse(dst, evaluation, tables);
    } else {
        context_.kernels().nttInverseScaled(dst, evaluation, tables, factor(i));
    }
}

void DroppedLimbs::bringOver(const uint64_t* const* coefficients, size_t begin, size_t count, Poly& dst) const {
    const kernel::Kernels& kernels = context_.kernels();
    const size_t n = context_.ringDegree();
    if (this->count() == 1) {
        for (size_t t = 0; t < count; ++t) {
            kernels.reduceInto(dst.limb(t), coefficients[0], n, context_.modulus(kept_), context_.modulus(begin + t),
                               kernel::Centring::centred);
        }
        return;
    }
    uint64_t* targets[GROUP];
    uint32_t indices[GROUP];
    for (size_t t = 0; t < count; ++t) {
        targets[t] = dst.limb(t);
        indices[t] = static_cast<uint32_t>(begin + t);
    }
    kernels.baseConvert({coefficients, true, targets, indices, count, 0, n}, context_.rescaleConverter(level_));
}

uint64_t DroppedLimbs::inverse(size_t i) const {
    const kernel::Modulus& modulus = context_.modulus(i);
    uint64_t product = 1;
    for (size_t d = kept_; d < limbs_; ++d) {
        product = kernel::mulMod(product, context_.modulus(d).value % modulus.value, modulus);
    }
    return kernel::inverseMod(product, modulus);
}

}  // namespace heml
