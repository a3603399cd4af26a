// Constants, the same in every slot.
#include "server/evaluator.h"
#include "operands.h"

namespace heml {

Ciphertext addScalar(const Ciphertext& a, GaussianInteger scalar, Executor& executor) {
    requireCiphertext(a);
    requireRange(scalar);
    const Context& context = *a.context();
    const size_t half = context.slots();
    Ciphertext out(a.context(), a.level(), a.degree());
    forLimbs(executor, a.degree() + 1, a.limbs(), [&](unsigned poly, size_t i) {
        if (poly != 0) {
            std::memcpy(out.limb(poly, i), a.limb(poly, i), context.ringDegree() * sizeof(uint64_t));
            return;
        }
        const auto values = residuesOf(context, i, scalar);
        for (size_t h = 0; h < 2; ++h) {
            context.kernels().addScalar(out.limb(0, i) + h * half, a.limb(0, i) + h * half, values[h], half, context.modulus(i));
        }
    });
    return out;
}

Ciphertext mulScalar(const Ciphertext& a, GaussianInteger scalar, Executor& executor) {
    requireCiphertext(a);
    requireRange(scalar);
    const Context& context = *a.context();
    const size_t half = context.slots();
    Ciphertext out(a.context(), a.level(), a.degree());
    forLimbs(executor, a.degree() + 1, a.limbs(), [&](unsigned poly, size_t i) {
        const auto values = residuesOf(context, i, scalar);
        for (size_t h = 0; h < 2; ++h) {
            context.kernels().mulScalar(out.limb(poly, i) + h * half, a.limb(poly, i) + h * half, values[h], half,
                                        context.modulus(i));
        }
    });
    return out;
}

Ciphertext mulByI(const Ciphertext& a, unsigned power, Executor& executor) {
    constexpr GaussianInteger POWERS[] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
    return mulScalar(a, POWERS[power % 4], executor);
}

}  // namespace heml
