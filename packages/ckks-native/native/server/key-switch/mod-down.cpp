#include "mod-down.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "decompose.h"
#include "dropped-limbs.h"

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

void modDownRescale(const Context& context, const Poly& specialCoefficients, unsigned level, const Poly& wide, Poly& out,
                    Executor& executor) {
    constexpr size_t GROUP = DroppedLimbs::GROUP;
    const DroppedLimbs dropped(context, level);
    const kernel::Kernels& kernels = context.kernels();
    const size_t n = context.ringDegree();
    Poly converted(context.pool(), context.limbsAt(level), n, MemoryKind::Scratch);
    convertSpecial(context, specialCoefficients, converted, executor);
    // the dropped limbs of the quotient by P, in place of theirs of [x mod P]
    const uint64_t* sources[2];
    for (size_t d = 0; d < dropped.count(); ++d) sources[d] = converted.limb(dropped.kept() + d);
    executor.parallelFor(dropped.count(), [&](size_t begin, size_t end) {
        Poly quotient(context.pool(), 1, n, MemoryKind::Scratch);
        for (size_t d = begin; d < end; ++d) {
            const size_t i = dropped.kept() + d;
            const kernel::Modulus& modulus = context.modulus(i);
            const uint64_t inverse = kernel::mulMod(context.specialInverse(i), dropped.factor(d), modulus);
            dropped.toCoefficients(d, quotient.limb(0), wide.limb(i));
            kernels.mulScalarAdd(quotient.limb(0), converted.limb(i), kernel::negateMod(inverse, modulus), n, modulus);
            std::memcpy(converted.limb(i), quotient.limb(0), n * sizeof(uint64_t));
        }
    });
    executor.parallelFor((dropped.kept() + GROUP - 1) / GROUP, [&](size_t first, size_t last) {
        Poly scratch(context.pool(), GROUP, n, MemoryKind::Scratch);
        for (size_t group = first; group < last; ++group) {
            const size_t begin = group * GROUP;
            const size_t count = std::min(GROUP, dropped.kept() - begin);
            dropped.bringOver(sources, begin, count, scratch);
            for (size_t t = 0; t < count; ++t) {
                const size_t i = begin + t;
                const kernel::Modulus& modulus = context.modulus(i);
                kernels.mulScalarAdd(scratch.limb(t), converted.limb(i), context.specialInverse(i), n, modulus);
                kernels.nttForward(scratch.limb(t), scratch.limb(t), context.tables(i));
                kernels.subMulScalar(out.limb(i), wide.limb(i), scratch.limb(t), dropped.inverse(i), n, modulus);
            }
        }
    });
}

}  // namespace heml
