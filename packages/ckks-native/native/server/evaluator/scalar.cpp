// Constants, the same in every slot. In evaluation order slot values zeta^(s 5^k) have X^(N/2) = i in the first half
// (s = +1) and -i in the second, since 5^k = 1 modulo 4: a complex constant is one residue per half.
#include <array>

#include "server/evaluator.h"
#include "operands.h"

namespace heml {

namespace {

// The residues of re + im i in the two halves of limb i.
std::array<uint64_t, 2> halves(const Context& context, size_t i, GaussianInteger scalar) {
    const kernel::Modulus& modulus = context.modulus(i);
    const uint64_t re = reduceSigned(scalar.re, modulus);
    const uint64_t im = kernel::mulMod(reduceSigned(scalar.im, modulus), context.imaginaryUnit(i), modulus);
    return {kernel::addMod(re, im, modulus), kernel::subMod(re, im, modulus)};
}

void requireRange(GaussianInteger scalar) {
    constexpr __int128 BOUND = static_cast<__int128>(1) << 120;
    if (scalar.re >= BOUND || scalar.re <= -BOUND || scalar.im >= BOUND || scalar.im <= -BOUND) {
        throw InvalidArgumentError("a scalar must be below 2^120 in absolute value");
    }
}

}  // namespace

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
        const auto values = halves(context, i, scalar);
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
        const auto values = halves(context, i, scalar);
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
