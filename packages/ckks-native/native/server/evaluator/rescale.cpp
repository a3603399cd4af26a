// Division by the primes of the top level, exact rounding: c - [c]_q centred is a multiple of q = q_l (or q_l q_l').
#include "server/evaluator.h"
#include "operands.h"
#include "server/key-switch/dropped-limbs.h"

namespace heml {

namespace {

// Per poly, the dropped limbs as coefficients.
Poly droppedCoefficients(const Ciphertext& a, const DroppedLimbs& dropped, Executor& executor) {
    const Context& context = *a.context();
    Poly out(context.pool(), dropped.count() * (a.degree() + 1), context.ringDegree(), MemoryKind::Scratch);
    forLimbs(executor, a.degree() + 1, dropped.count(), [&](unsigned poly, size_t i) {
        dropped.toCoefficients(i, out.limb(poly * dropped.count() + i), a.limb(poly, dropped.kept() + i));
    });
    return out;
}

}  // namespace

Ciphertext rescale(const Ciphertext& a, Executor& executor) {
    requireCiphertext(a);
    requireRescalable(a);
    const Context& context = *a.context();
    const kernel::Kernels& kernels = context.kernels();
    const size_t n = context.ringDegree();
    const DroppedLimbs dropped(context, a.level());
    constexpr size_t GROUP = DroppedLimbs::GROUP;
    const Poly coefficients = droppedCoefficients(a, dropped, executor);
    Ciphertext out(a.context(), a.level() - 1, a.degree());
    forLimbs(executor, a.degree() + 1, (dropped.kept() + GROUP - 1) / GROUP, [&](unsigned poly, size_t group) {
        const size_t begin = group * GROUP;
        const size_t count = std::min(GROUP, dropped.kept() - begin);
        Poly scratch(context.pool(), count, n, MemoryKind::Scratch);
        const uint64_t* sources[2];
        for (size_t d = 0; d < dropped.count(); ++d) sources[d] = coefficients.limb(dropped.count() * poly + d);
        dropped.bringOver(sources, begin, count, scratch);
        for (size_t t = 0; t < count; ++t) {
            const size_t i = begin + t;
            kernels.nttForward(scratch.limb(t), scratch.limb(t), context.tables(i));
            kernels.subMulScalar(out.limb(poly, i), a.limb(poly, i), scratch.limb(t), dropped.inverse(i), n, context.modulus(i));
        }
    });
    return out;
}

}  // namespace heml
