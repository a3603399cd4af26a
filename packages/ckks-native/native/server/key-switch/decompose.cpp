#include "decompose.h"

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
    context.kernels().nttInverseScaled(dst, evaluation, context.tables(i), converter.sourceFactor(i - digit.begin).factor);
}

Poly decompose(const Context& context, const Poly& evaluation, Executor& executor) {
    const size_t limbs = evaluation.limbs();
    Poly out(context.pool(), limbs, context.ringDegree(), MemoryKind::Scratch);
    executor.parallelFor(limbs, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) decomposeLimb(context, limbs, i, out.limb(i), evaluation.limb(i));
    });
    return out;
}

Digits::Digits(const Context& context, size_t limbs)
    : context_(context),
      limbs_(limbs),
      count_(context.digitsFor(limbs)),
      scratch_(context.pool(), targetCount(context, limbs) * count_, context.ringDegree(), MemoryKind::Scratch),
      pointers_(targetCount(context, limbs) * count_) {}

void Digits::convert(const Poly& evaluation, const Poly& coefficients, Executor& executor) {
    for (size_t target = 0; target < targetCount(context_, limbs_); ++target) {
        for (size_t d = 0; d < count_; ++d) {
            const bool own = target < limbs_ && target / context_.digitLimbs() == d;
            pointers_[target * count_ + d] = own ? evaluation.limb(target) : scratch_.limb(target * count_ + d);
        }
    }
    const size_t ranges = context_.ringDegree() / CONVERT_RANGE;
    executor.parallelFor(count_ * ranges, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            const size_t from = i % ranges * CONVERT_RANGE;
            convertRange(coefficients, i / ranges, from, from + CONVERT_RANGE);
        }
    });
}

void Digits::convertRange(const Poly& coefficients, size_t d, size_t begin, size_t end) {
    const Digit digit = digitOf(context_, limbs_, d);
    std::vector<const uint64_t*> sources;
    std::vector<uint64_t*> targets;
    std::vector<uint32_t> indices;
    for (size_t i = 0; i < digit.size; ++i) sources.push_back(coefficients.limb(digit.begin + i));
    for (size_t target = 0; target < targetCount(context_, limbs_); ++target) {
        if (target < limbs_ && target / context_.digitLimbs() == d) continue;
        targets.push_back(scratch_.limb(target * count_ + d));
        indices.push_back(Context::modUpTarget(digit.begin, digit.size, modulusOf(context_, limbs_, target)));
    }
    context_.kernels().baseConvert({sources.data(), true, targets.data(), indices.data(), targets.size(), begin, end},
                                   context_.modUp(digit.begin, digit.size));
}

void Digits::transform(size_t target) {
    const kernel::NttTables& tables = context_.tables(modulusOf(context_, limbs_, target));
    for (size_t d = 0; d < count_; ++d) {
        uint64_t* limb = scratch_.limb(target * count_ + d);
        if (pointers_[target * count_ + d] == limb) context_.kernels().nttForward(limb, limb, tables);
    }
}

}  // namespace heml
