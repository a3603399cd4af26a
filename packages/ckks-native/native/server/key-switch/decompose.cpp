#include "decompose.h"

#include <algorithm>

#include "columns.h"

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
    context.kernels().nttInverseRows(dst, evaluation, context.tables(i), converter.sourceFactor(i - digit.begin).factor, 0,
                                     context.ringDegree());
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
      split_(context.pool(), targetCount(context, limbs) * count_, context.ringDegree(), MemoryKind::Scratch) {}

void Digits::convert(const Poly& evaluation, const Poly& split, Executor& executor) {
    evaluation_ = &evaluation;
    std::vector<ColumnConversion> conversions;
    for (size_t d = 0; d < count_; ++d) {
        const Digit digit = digitOf(context_, limbs_, d);
        std::vector<const uint64_t*> sources;
        std::vector<uint32_t> indices;
        for (size_t i = 0; i < digit.size; ++i) sources.push_back(split.limb(digit.begin + i));
        ColumnConversion conversion(context_);
        for (size_t target = 0; target < targetCount(context_, limbs_); ++target) {
            if (owns(d, target)) continue;
            const size_t modulus = modulusOf(context_, limbs_, target);
            conversion.addTarget(split_.limb(target * count_ + d), modulus);
            indices.push_back(Context::modUpTarget(digit.begin, digit.size, modulus));
        }
        conversion.addSources(sources.data(), digit.begin, context_.modUp(digit.begin, digit.size), std::move(indices));
        conversions.push_back(std::move(conversion));
    }
    convertAll(context_, conversions, executor);
}

Digits::Target::Target(const Digits& digits, size_t words)
    : of_(digits), rows_(digits.context_.pool(), digits.count_, words, MemoryKind::Scratch), pointers_(digits.count_) {}

void Digits::Target::steps(size_t target, size_t begin, RowSteps& list) {
    for (size_t d = of_.count_; d-- > 0;) {
        if (!of_.owns(d, target)) list.push(rows_.limb(d), of_.splitLimb(target, d), begin);
    }
}

kernel::NextRows Digits::Target::first(size_t target, size_t begin) const {
    for (size_t d = of_.count_; d-- > 0;) {
        if (!of_.owns(d, target)) return {of_.splitLimb(target, d), begin};
    }
    return {};
}

const uint64_t* const* Digits::Target::digits(size_t target, size_t begin) {
    for (size_t d = 0; d < of_.count_; ++d) pointers_[d] = of_.owns(d, target) ? of_.ownRows(target, begin) : rows_.limb(d);
    return pointers_.data();
}

}  // namespace heml
