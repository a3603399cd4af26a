// Products of ciphertexts: degree 2, all limbs independent.
#include "server/evaluator.h"
#include "operands.h"
#include "server/key-switch/switch-keys.h"

namespace heml {

namespace {

void requireFactors(const Ciphertext& a, const Ciphertext& b) {
    requireSame(a, b);
    requireDegreeOne(a, "mul");
    requireDegreeOne(b, "mul");
}

// d1 = sum a0 b1 + a1 b0 and d0 = sum a0 b0, d2 = sum a1 b1 of one limb, block by block: every operand is read once
// from memory and twice from the cache.
void accumulateLimb(Ciphertext& out, const std::vector<ProductTerm>& terms, size_t i) {
    const Context& context = *out.context();
    const size_t block = std::min<size_t>(context.ringDegree(), 512);
    std::array<std::vector<const uint64_t*>, 3> factors;
    std::array<std::vector<kernel::RepeatedLimb>, 3> multipliers;
    for (const ProductTerm& term : terms) {
        for (unsigned x = 0; x < 2; ++x) {
            for (unsigned y = 0; y < 2; ++y) {
                factors[x + y].push_back(term.a->limb(x, i));
                multipliers[x + y].push_back({term.b->limb(y, i), 0});
            }
        }
    }
    for (size_t begin = 0; begin < context.ringDegree(); begin += block) {
        for (unsigned poly = 0; poly < 3; ++poly) {
            context.kernels().sumProducts({out.limb(poly, i), factors[poly].data(), multipliers[poly].data(),
                                           factors[poly].size(), false, begin, begin + block},
                                          context.modulus(i));
        }
    }
}

}  // namespace

Ciphertext mul(const Ciphertext& a, const Ciphertext& b, Executor& executor) {
    requireFactors(a, b);
    const Context& context = *a.context();
    Ciphertext out(a.context(), a.level(), 2);
    forLimbs(executor, 1, a.limbs(), [&](unsigned, size_t i) {
        context.kernels().tensorProduct(out.limb(0, i), out.limb(1, i), out.limb(2, i), a.limb(0, i), a.limb(1, i), b.limb(0, i),
                                        b.limb(1, i), context.ringDegree(), context.modulus(i));
    });
    return out;
}

Ciphertext square(const Ciphertext& a, Executor& executor) { return mul(a, a, executor); }

Ciphertext mulAccumulate(const std::vector<ProductTerm>& terms, Executor& executor) {
    if (terms.empty()) throw InvalidArgumentError("a sum of products needs at least one term");
    for (const ProductTerm& term : terms) {
        requireSame(*terms[0].a, *term.a);
        requireFactors(*term.a, *term.b);
    }
    Ciphertext out(terms[0].a->context(), terms[0].a->level(), 2);
    forLimbs(executor, 1, out.limbs(), [&](unsigned, size_t i) { accumulateLimb(out, terms, i); });
    return out;
}

}  // namespace heml
