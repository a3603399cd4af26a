// The first half of key switching, which hoisting shares: a polynomial cut into digits of consecutive q limbs.
#pragma once

#include <vector>
#include "scheme/context.h"
#include "runtime/executor.h"
#include "scheme/poly.h"

namespace heml {

// Coefficients converted at a time: a block of all sources stays in the cache.
constexpr size_t CONVERT_RANGE = 1024;

// Coefficients of every limb, limb i of digit d times (Q_d / q_i)^-1: what modUp of a digit starts from.
// d = sum over digits of [d]_Q_d in RNS form, as the gadget P [q_i in digit] wants it (Han and Ki, ePrint 2019/688).
void decomposeLimb(const Context& context, size_t limbs, size_t i, uint64_t* dst, const uint64_t* evaluation);
Poly decompose(const Context& context, const Poly& evaluation, Executor& executor);

// The first `limbs` q limbs and all special limbs, numbered in this order: the targets of a key switch.
inline size_t targetCount(const Context& context, size_t limbs) { return limbs + context.specialLimbs(); }
inline size_t modulusOf(const Context& context, size_t limbs, size_t target) {
    return target < limbs ? target : context.qLimbs() + (target - limbs);
}

// modUp of all digits to all targets. Conversion goes by ranges of coefficients, so that a source is read once for all
// targets and the count of overflows is found once (three times faster than target by target); the transform belongs to
// whoever uses a target, whose digits are then in the cache.
class Digits {
public:
    Digits(const Context& context, size_t limbs);

    // coefficients: decompose(evaluation). Both must outlive the use of digits().
    void convert(const Poly& evaluation, const Poly& coefficients, Executor& executor);
    // To be called once per target after convert(), from any thread.
    void transform(size_t target);
    // digits(t)[d]: digit d modulo target t's prime, N words in evaluation order once transformed. A digit's own limbs are
    // those of the polynomial.
    const uint64_t* const* digits(size_t target) const { return pointers_.data() + target * count_; }
    size_t count() const { return count_; }

private:
    void convertRange(const Poly& coefficients, size_t digit, size_t begin, size_t end);

    const Context& context_;
    size_t limbs_;
    size_t count_;
    Poly scratch_;                               // [target][digit]
    std::vector<const uint64_t*> pointers_;
};

}  // namespace heml
