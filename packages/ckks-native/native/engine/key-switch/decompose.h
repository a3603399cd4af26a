// The first half of key switching, which hoisting shares: a polynomial cut into digits of consecutive q limbs.
#pragma once

#include "context.h"
#include "executor.h"
#include "poly.h"

namespace heml {

// Coefficients of every limb, limb i of digit d times (Q_d / q_i)^-1: what modUp of a digit starts from.
// d = sum over digits of [d]_Q_d in RNS form, as the gadget P [q_i in digit] wants it (Han and Ki, ePrint 2019/688).
void decomposeLimb(const Context& context, size_t limbs, size_t i, uint64_t* dst, const uint64_t* evaluation);
Poly decompose(const Context& context, const Poly& evaluation, Executor& executor);

// modUp to evaluation order for some target moduli, all digits: a digit's own limbs are taken from the polynomial.
// Holds scratch for one thread.
class ModUp {
public:
    // At most `width` targets at a time.
    ModUp(const Context& context, size_t limbs, size_t width);

    // moduli: indices into the context's. digits(t)[d] is then digit d modulo moduli[t], N words in evaluation order.
    void run(const Poly& evaluation, const Poly& coefficients, const size_t* moduli, size_t count);
    const uint64_t* const* digits(size_t t) const { return pointers_.data() + t * digitCount_; }
    size_t digitCount() const { return digitCount_; }

private:
    const Context& context_;
    size_t limbs_;
    size_t digitCount_;
    Poly scratch_;
    std::vector<const uint64_t*> pointers_;
};

}  // namespace heml
