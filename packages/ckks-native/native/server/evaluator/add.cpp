// Sums, differences and negation: limb by limb, memory-bound.
#include "server/evaluator.h"
#include "operands.h"

namespace heml {

namespace {

using Binary = void (*)(uint64_t*, const uint64_t*, const uint64_t*, size_t, const kernel::Modulus&);

enum class Side { both, left, right };

Side sideOf(const Ciphertext& a, const Ciphertext& b, unsigned poly) {
    if (poly > b.degree()) return Side::left;
    return poly > a.degree() ? Side::right : Side::both;
}

Ciphertext combine(const Ciphertext& a, const Ciphertext& b, Binary binary, bool negateRight, Executor& executor) {
    requireSame(a, b);
    const Context& context = *a.context();
    const size_t n = context.ringDegree();
    Ciphertext out(a.context(), a.level(), std::max(a.degree(), b.degree()));
    forLimbs(executor, out.degree() + 1, out.limbs(), [&](unsigned poly, size_t i) {
        uint64_t* dst = out.limb(poly, i);
        switch (sideOf(a, b, poly)) {
            case Side::both:
                binary(dst, a.limb(poly, i), b.limb(poly, i), n, context.modulus(i));
                break;
            case Side::left:
                std::memcpy(dst, a.limb(poly, i), n * sizeof(uint64_t));
                break;
            case Side::right:
                if (negateRight)
                    context.kernels().negate(dst, b.limb(poly, i), n, context.modulus(i));
                else
                    std::memcpy(dst, b.limb(poly, i), n * sizeof(uint64_t));
        }
    });
    return out;
}

}  // namespace

Ciphertext add(const Ciphertext& a, const Ciphertext& b, Executor& executor) {
    requireCiphertext(a);
    return combine(a, b, a.context()->kernels().add, false, executor);
}

Ciphertext sub(const Ciphertext& a, const Ciphertext& b, Executor& executor) {
    requireCiphertext(a);
    return combine(a, b, a.context()->kernels().sub, true, executor);
}

Ciphertext negate(const Ciphertext& a, Executor& executor) {
    requireCiphertext(a);
    const Context& context = *a.context();
    Ciphertext out(a.context(), a.level(), a.degree());
    forLimbs(executor, a.degree() + 1, a.limbs(), [&](unsigned poly, size_t i) {
        context.kernels().negate(out.limb(poly, i), a.limb(poly, i), context.ringDegree(), context.modulus(i));
    });
    return out;
}

Ciphertext sum(const std::vector<const Ciphertext*>& terms, Executor& executor) {
    if (terms.empty()) throw InvalidArgumentError("a sum needs at least one term");
    unsigned degree = 1;
    for (const Ciphertext* term : terms) {
        requireSame(*terms[0], *term);
        degree = std::max(degree, term->degree());
    }
    const Context& context = *terms[0]->context();
    Ciphertext out(terms[0]->context(), terms[0]->level(), degree);
    // In blocks, so that the running sum stays in the first-level cache.
    const size_t block = std::min<size_t>(context.ringDegree(), 2048);
    forLimbs(executor, degree + 1, out.limbs(), [&](unsigned poly, size_t i) {
        for (size_t begin = 0; begin < context.ringDegree(); begin += block) {
            uint64_t* dst = out.limb(poly, i) + begin;
            const uint64_t* first = nullptr;   // the only term so far, not yet copied
            bool started = false;
            for (const Ciphertext* term : terms) {
                if (poly > term->degree()) continue;
                const uint64_t* src = term->limb(poly, i) + begin;
                if (!started && !first) {
                    first = src;
                } else {
                    context.kernels().add(dst, started ? dst : first, src, block, context.modulus(i));
                    started = true;
                }
            }
            if (!started) std::memcpy(dst, first, block * sizeof(uint64_t));
        }
    });
    return out;
}

}  // namespace heml
