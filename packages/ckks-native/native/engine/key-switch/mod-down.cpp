#include "key-switch/mod-down.h"

#include <vector>

namespace heml {

void specialToCoefficients(const Context& context, size_t j, uint64_t* dst, const uint64_t* src) {
    context.kernels().nttInverseScaled(dst, src, context.tables(context.qLimbs() + j),
                                       context.modDown().sourceFactor(j).factor);
}

void modDownLimbs(const Context& context, const Poly& specialCoefficients, const size_t* moduli, size_t count,
                  uint64_t* const* targets, Poly& scratch) {
    std::vector<const uint64_t*> sources;
    std::vector<uint64_t*> converted;
    std::vector<uint32_t> indices;
    for (size_t j = 0; j < context.specialLimbs(); ++j) sources.push_back(specialCoefficients.limb(j));
    for (size_t t = 0; t < count; ++t) {
        converted.push_back(scratch.limb(t));
        indices.push_back(static_cast<uint32_t>(moduli[t]));
    }
    const kernel::Kernels& kernels = context.kernels();
    kernels.baseConvert({sources.data(), true, converted.data(), indices.data(), count, 0, context.ringDegree()},
                        context.modDown());
    for (size_t t = 0; t < count; ++t) {
        const kernel::Modulus& modulus = context.modulus(moduli[t]);
        kernels.nttForward(converted[t], converted[t], context.tables(moduli[t]));
        kernels.mulScalarAdd(targets[t], converted[t], kernel::negateMod(context.specialInverse(moduli[t]), modulus),
                             context.ringDegree(), modulus);
    }
}

}  // namespace heml
