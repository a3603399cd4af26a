// Products, constants times ciphertexts, and a constant, all added up: the steps of polynomial evaluation. Block by block, so that what
// a product and a sum apart would write and read again stays in the cache.
#include <algorithm>

#include "server/evaluator.h"
#include "operands.h"

namespace heml {

namespace {

constexpr size_t CACHED_WORDS = 512;  // words: three of them, and an operand's, in the first cache

class Combination {
public:
    Combination(const std::vector<ProductTerm>& products, GaussianInteger by, const std::vector<ScaledTerm>& terms,
                GaussianInteger constant)
        : context_(*products[0].a->context()), products_(products), by_(by), terms_(terms), constant_(constant) {}

    void limb(Ciphertext& out, size_t i) const {
        const size_t block = std::min<size_t>(context_.ringDegree() / 2, CACHED_WORDS);  // blocks do not cross the middle
        for (size_t begin = 0; begin < context_.ringDegree(); begin += block) {
            product(out, i, begin, block);
            const size_t half = begin >= context_.ringDegree() / 2;
            scale(out, i, begin, block, half);
            for (const ScaledTerm& term : terms_) addTerm(out, term, i, begin, block, half);
            if (constant_.re == 0 && constant_.im == 0) continue;
            uint64_t* target = out.limb(0, i) + begin;
            context_.kernels().addScalar(target, target, residuesOf(context_, i, constant_)[half], block, context_.modulus(i));
        }
    }

private:
    void product(Ciphertext& out, size_t i, size_t begin, size_t block) const {
        if (products_.size() == 1) {
            const Ciphertext &a = *products_[0].a, &b = *products_[0].b;
            context_.kernels().tensorProduct(out.limb(0, i) + begin, out.limb(1, i) + begin, out.limb(2, i) + begin,
                                             a.limb(0, i) + begin, a.limb(1, i) + begin, b.limb(0, i) + begin,
                                             b.limb(1, i) + begin, block, context_.modulus(i));
            return;
        }
        std::array<std::vector<const uint64_t*>, 3> factors;
        std::array<std::vector<kernel::RepeatedLimb>, 3> multipliers;
        for (const ProductTerm& term : products_) {
            for (unsigned x = 0; x < 2; ++x) {
                for (unsigned y = 0; y < 2; ++y) {
                    factors[x + y].push_back(term.a->limb(x, i));
                    multipliers[x + y].push_back({term.b->limb(y, i), 0});
                }
            }
        }
        for (unsigned poly = 0; poly < 3; ++poly) {
            context_.kernels().sumProducts({out.limb(poly, i), factors[poly].data(), multipliers[poly].data(),
                                            factors[poly].size(), false, begin, begin + block},
                                           context_.modulus(i));
        }
    }

    void scale(Ciphertext& out, size_t i, size_t begin, size_t block, size_t half) const {
        if (by_.re == 1 && by_.im == 0) return;
        const uint64_t by = residuesOf(context_, i, by_)[half];
        for (unsigned poly = 0; poly < 3; ++poly) {
            uint64_t* target = out.limb(poly, i) + begin;
            context_.kernels().mulScalar(target, target, by, block, context_.modulus(i));
        }
    }

    void addTerm(Ciphertext& out, const ScaledTerm& term, size_t i, size_t begin, size_t block, size_t half) const {
        const uint64_t by = residuesOf(context_, i, term.by)[half];
        for (unsigned poly = 0; poly <= term.ciphertext->degree(); ++poly) {
            context_.kernels().mulScalarAdd(out.limb(poly, i) + begin, term.ciphertext->limb(poly, i) + begin, by, block,
                                            context_.modulus(i));
        }
    }

    const Context& context_;
    const std::vector<ProductTerm>& products_;
    const GaussianInteger by_;
    const std::vector<ScaledTerm>& terms_;
    const GaussianInteger constant_;
};

}  // namespace

Ciphertext productCombination(const std::vector<ProductTerm>& products, GaussianInteger by, const std::vector<ScaledTerm>& terms,
                              GaussianInteger constant, Executor& executor) {
    if (products.empty()) throw InvalidArgumentError("a combination of products needs at least one");
    const Ciphertext& first = *products[0].a;
    for (const ProductTerm& product : products) {
        for (const Ciphertext* factor : {product.a, product.b}) {
            requireSame(first, *factor);
            requireDegreeOne(*factor, "mul");
        }
    }
    requireRange(by);
    for (const ScaledTerm& term : terms) {
        requireSame(first, *term.ciphertext);
        requireRange(term.by);
    }
    requireRange(constant);
    Ciphertext out(first.context(), first.level(), 2);
    const Combination combination(products, by, terms, constant);
    forLimbs(executor, 1, out.limbs(), [&](unsigned, size_t i) { combination.limb(out, i); });
    return out;
}

}  // namespace heml
