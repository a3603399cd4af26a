#include "mod-down.h"

#include <vector>

#include "decompose.h"

namespace heml {

namespace {

// [x mod P] as coefficients modulo every q limb, by ranges of coefficients.
void convertSpecial(const Context& context, const Poly& specialCoefficients, Poly& out, Executor& executor) {
    std::vector<const uint64_t*> sources;
    std::vector<uint64_t*> targets;
    for (size_t j = 0; j < context.specialLimbs(); ++j) sources.push_back(specialCoefficients.limb(j));
    for (size_t i = 0; i < out.limbs(); ++i) targets.push_back(out.limb(i));
    executor.parallelFor(context.ringDegree() / CONVERT_RANGE, [&](size_t begin, size_t end) {
        context.kernels().baseConvert(
            {sources.data(), true, targets.data(), nullptr, targets.size(), begin * CONVERT_RANGE, end * CONVERT_RANGE},
            context.modDown());
    });
}

}  // namespace

void specialToCoefficients(const Context& context, size_t j, uint64_t* dst, const uint64_t* src) {
    context.kernels().nttInverseScaled(dst, src, context.tables(context.qLimbs() + j), context.modDown().sourceFactor(j).factor);
}

void modDown(const Context& context, const Poly& specialCoefficients, size_t limbs, Poly& target, Executor& executor,
             const std::function<void(size_t i)>& after) {
    Poly converted(context.pool(), limbs, context.ringDegree(), MemoryKind::Scratch);
    convertSpecial(context, specialCoefficients, converted, executor);
    const kernel::Kernels& kernels = context.kernels();
    executor.parallelFor(limbs, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            const kernel::Modulus& modulus = context.modulus(i);
            kernels.nttForward(converted.limb(i), converted.limb(i), context.tables(i));
            kernels.mulScalarAdd(target.limb(i), converted.limb(i), kernel::negateMod(context.specialInverse(i), modulus),
                                 context.ringDegree(), modulus);
            if (after) after(i);
        }
    });
}

}  // namespace heml
