// Changes of modulus that compute nothing (dropLevel, changeContext) or only reinterpret (modRaise).
#include "server/evaluator.h"
#include "operands.h"

namespace heml {

namespace {

Ciphertext copyLimbs(const Ciphertext& a, std::shared_ptr<const Context> context, unsigned level, Executor& executor) {
    Ciphertext out(std::move(context), level, a.degree());
    forLimbs(executor, a.degree() + 1, out.limbs(), [&](unsigned poly, size_t i) {
        std::memcpy(out.limb(poly, i), a.limb(poly, i), out.context()->ringDegree() * sizeof(uint64_t));
    });
    return out;
}

}  // namespace

Ciphertext dropLevel(const Ciphertext& a, unsigned level, Executor& executor) {
    requireCiphertext(a);
    if (level > a.level()) {
        throw LevelError("dropLevel to " + std::to_string(level) + " from the lower level " + std::to_string(a.level()));
    }
    return copyLimbs(a, a.context(), level, executor);
}

Ciphertext changeContext(const Ciphertext& a, std::shared_ptr<const Context> context, Executor& executor) {
    requireCiphertext(a);
    if (!context) throw InvalidArgumentError("changeContext needs a context");
    bool fits = context->logN() == a.context()->logN() && context->limbsAt(a.level()) == a.limbs();
    for (size_t i = 0; fits && i < a.limbs(); ++i) fits = context->modulus(i).value == a.context()->modulus(i).value;
    if (!fits) throw ParameterMismatchError("the other context has another N or other primes up to this level");
    return copyLimbs(a, std::move(context), a.level(), executor);
}

Ciphertext modRaise(const Ciphertext& a, unsigned level, Executor& executor) {
    requireCiphertext(a);
    if (a.level() != 0) throw LevelError("modRaise starts at level 0, got " + std::to_string(a.level()));
    const Context& context = *a.context();
    const kernel::Kernels& kernels = context.kernels();
    const size_t base = a.limbs();
    const size_t n = context.ringDegree();
    const kernel::BaseConverter& converter = context.modUp(0, base);
    Ciphertext out(a.context(), level, a.degree());
    Poly coefficients(context.pool(), base * (a.degree() + 1), n, MemoryKind::Scratch);
    forLimbs(executor, a.degree() + 1, base, [&](unsigned poly, size_t i) {
        kernels.nttInverseScaled(coefficients.limb(poly * base + i), a.limb(poly, i), context.tables(i),
                                 converter.sourceFactor(i).factor);
    });
    forLimbs(executor, a.degree() + 1, out.limbs(), [&](unsigned poly, size_t i) {
        uint64_t* dst = out.limb(poly, i);
        if (i < base) {
            std::memcpy(dst, a.limb(poly, i), n * sizeof(uint64_t));
            return;
        }
        const uint64_t* sources[2] = {coefficients.limb(poly * base), coefficients.limb(poly * base + base - 1)};
        const uint32_t index = Context::modUpTarget(0, base, i);
        kernels.baseConvert({sources, true, &dst, &index, 1, 0, n}, converter);
        kernels.nttForward(dst, dst, context.tables(i));
    });
    return out;
}

}  // namespace heml
