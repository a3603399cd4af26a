// Constants times ciphertexts, all added up, and a constant: the sums of polynomial evaluation. One pass over memory, where a product
// and a sum for each term would write every one of them and read it again.
#include <algorithm>

#include "server/evaluator.h"
#include "operands.h"

namespace heml {

namespace {

constexpr size_t PARTS = 4;  // of a limb: few limbs at the lowest levels must keep all threads at work

}  // namespace

Ciphertext linearCombination(const std::vector<ScaledTerm>& terms, GaussianInteger constant, Executor& executor) {
    if (terms.empty()) throw InvalidArgumentError("a linear combination needs at least one term");
    unsigned degree = 1;
    for (const ScaledTerm& term : terms) {
        requireSame(*terms[0].ciphertext, *term.ciphertext);
        requireRange(term.by);
        degree = std::max(degree, term.ciphertext->degree());
    }
    requireRange(constant);
    const Ciphertext& first = *terms[0].ciphertext;
    const Context& context = *first.context();
    const bool isShifted = constant.re != 0 || constant.im != 0;
    Ciphertext out(first.context(), first.level(), degree);
    const size_t part = context.ringDegree() / PARTS;
    executor.parallelFor((degree + 1) * first.limbs() * PARTS, [&](size_t begin, size_t end) {
        std::vector<const uint64_t*> sources;
        std::vector<uint64_t> weights;
        for (size_t task = begin; task < end; ++task) {
            const size_t at = task % PARTS, i = task / PARTS % first.limbs();
            const auto poly = static_cast<unsigned>(task / PARTS / first.limbs());
            const kernel::Modulus& modulus = context.modulus(i);
            const size_t half = at >= PARTS / 2;  // parts do not cross the middle
            sources.clear();
            weights.clear();
            for (const ScaledTerm& term : terms) {
                if (term.ciphertext->degree() < poly) continue;
                sources.push_back(term.ciphertext->limb(poly, i));
                weights.push_back(residuesOf(context, i, term.by)[half]);
            }
            uint64_t* target = out.limb(poly, i);
            context.kernels().matrixProduct(
                {&target, sources.data(), weights.data(), weights.size(), 1, weights.size(), false, at * part, (at + 1) * part},
                modulus);
            if (poly != 0 || !isShifted) continue;
            context.kernels().addScalar(target + at * part, target + at * part, residuesOf(context, i, constant)[half], part,
                                        modulus);
        }
    });
    return out;
}

}  // namespace heml
