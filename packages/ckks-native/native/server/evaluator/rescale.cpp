// Division by the primes of the top level, exact rounding: c - [c]_q centred is a multiple of q = q_l (or q_l q_l').
#include "server/evaluator.h"
#include "operands.h"

namespace heml {

namespace {

constexpr size_t GROUP = 2;   // targets converted together, and what one thread takes at a time

// Per poly, the dropped limbs as coefficients; for two primes times the conversion factors.
Poly droppedCoefficients(const Ciphertext& a, size_t kept, Executor& executor) {
    const Context& context = *a.context();
    const size_t dropped = a.limbs() - kept;
    Poly out(context.pool(), dropped * (a.degree() + 1), context.ringDegree(), MemoryKind::Scratch);
    forLimbs(executor, a.degree() + 1, dropped, [&](unsigned poly, size_t i) {
        uint64_t* dst = out.limb(poly * dropped + i);
        const uint64_t* src = a.limb(poly, kept + i);
        if (dropped == 1) {
            context.kernels().nttInverse(dst, src, context.tables(kept));
        } else {
            context.kernels().nttInverseScaled(dst, src, context.tables(kept + i),
                                               context.rescaleConverter(a.level()).sourceFactor(i).factor);
        }
    });
    return out;
}

uint64_t droppedInverse(const Context& context, size_t i, size_t kept, size_t limbs) {
    const kernel::Modulus& modulus = context.modulus(i);
    uint64_t product = 1;
    for (size_t d = kept; d < limbs; ++d) {
        product = kernel::mulMod(product, context.modulus(d).value % modulus.value, modulus);
    }
    return kernel::inverseMod(product, modulus);
}

}  // namespace

Ciphertext rescale(const Ciphertext& a, Executor& executor) {
    requireCiphertext(a);
    if (a.level() == 0) throw LevelError("level 0 cannot be rescaled: refresh the ciphertext or raise maxLevel");
    const Context& context = *a.context();
    const kernel::Kernels& kernels = context.kernels();
    const size_t n = context.ringDegree();
    const size_t kept = context.limbsAt(a.level() - 1);
    const size_t dropped = a.limbs() - kept;
    const Poly coefficients = droppedCoefficients(a, kept, executor);
    Ciphertext out(a.context(), a.level() - 1, a.degree());
    forLimbs(executor, a.degree() + 1, (kept + GROUP - 1) / GROUP, [&](unsigned poly, size_t group) {
        const size_t begin = group * GROUP;
        const size_t count = std::min(GROUP, kept - begin);
        Poly scratch(context.pool(), count, n, MemoryKind::Scratch);
        if (dropped == 1) {
            for (size_t t = 0; t < count; ++t) {
                kernels.reduceInto(scratch.limb(t), coefficients.limb(poly), n, context.modulus(kept), context.modulus(begin + t),
                                   kernel::Centring::centred);
            }
        } else {
            const uint64_t* sources[2] = {coefficients.limb(2 * poly), coefficients.limb(2 * poly + 1)};
            uint64_t* targets[GROUP];
            uint32_t indices[GROUP];
            for (size_t t = 0; t < count; ++t) {
                targets[t] = scratch.limb(t);
                indices[t] = static_cast<uint32_t>(begin + t);
            }
            kernels.baseConvert({sources, true, targets, indices, count, 0, n}, context.rescaleConverter(a.level()));
        }
        for (size_t t = 0; t < count; ++t) {
            const size_t i = begin + t;
            kernels.nttForward(scratch.limb(t), scratch.limb(t), context.tables(i));
            kernels.subMulScalar(out.limb(poly, i), a.limb(poly, i), scratch.limb(t), droppedInverse(context, i, kept, a.limbs()),
                                 n, context.modulus(i));
        }
    });
    return out;
}

}  // namespace heml
