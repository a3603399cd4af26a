#include "key-switch/decompose.h"

namespace heml {

namespace {

struct Digit {
    size_t begin;
    size_t size;
};

Digit digitOf(const Context& context, size_t limbs, size_t d) {
    const size_t begin = d * context.digitLimbs();
    return {begin, std::min(context.digitLimbs(), limbs - begin)};
}

}  // namespace

void decomposeLimb(const Context& context, size_t limbs, size_t i, uint64_t* dst, const uint64_t* evaluation) {
    const Digit digit = digitOf(context, limbs, i / context.digitLimbs());
    const kernel::BaseConverter& converter = context.modUp(digit.begin, digit.size);
    context.kernels().nttInverseScaled(dst, evaluation, context.tables(i),
                                       converter.sourceFactor(i - digit.begin).factor);
}

Poly decompose(const Context& context, const Poly& evaluation, Executor& executor) {
    const size_t limbs = evaluation.limbs();
    Poly out(context.pool(), limbs, context.ringDegree(), MemoryKind::Scratch);
    executor.parallelFor(limbs, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) decomposeLimb(context, limbs, i, out.limb(i), evaluation.limb(i));
    });
    return out;
}

ModUp::ModUp(const Context& context, size_t limbs, size_t width)
    : context_(context),
      limbs_(limbs),
      digitCount_(context.digitsFor(limbs)),
      scratch_(context.pool(), width * digitCount_, context.ringDegree(), MemoryKind::Scratch),
      pointers_(width * digitCount_) {}

void ModUp::run(const Poly& evaluation, const Poly& coefficients, const size_t* moduli, size_t count) {
    std::vector<const uint64_t*> sources;
    std::vector<uint64_t*> targets;
    std::vector<uint32_t> indices;
    for (size_t d = 0; d < digitCount_; ++d) {
        const Digit digit = digitOf(context_, limbs_, d);
        const kernel::BaseConverter& converter = context_.modUp(digit.begin, digit.size);
        sources.clear();
        targets.clear();
        indices.clear();
        for (size_t i = 0; i < digit.size; ++i) sources.push_back(coefficients.limb(digit.begin + i));
        for (size_t t = 0; t < count; ++t) {
            const size_t at = t * digitCount_ + d;
            if (moduli[t] / context_.digitLimbs() == d && moduli[t] < limbs_) {
                pointers_[at] = evaluation.limb(moduli[t]);
                continue;
            }
            pointers_[at] = scratch_.limb(at);
            targets.push_back(scratch_.limb(at));
            indices.push_back(Context::modUpTarget(digit.begin, digit.size, moduli[t]));
        }
        if (targets.empty()) continue;
        context_.kernels().baseConvert({sources.data(), true, targets.data(), indices.data(), targets.size(), 0,
                                        context_.ringDegree()}, converter);
        for (size_t t = 0; t < count; ++t) {
            uint64_t* limb = scratch_.limb(t * digitCount_ + d);
            if (pointers_[t * digitCount_ + d] == limb) {
                context_.kernels().nttForward(limb, limb, context_.tables(moduli[t]));
            }
        }
    }
}

}  // namespace heml
