// Division by P with rounding: x mod QP to round(x / P) mod q. With q limbs already times P^-1, a limb is finished by
// subtracting P^-1 [x mod P centred], brought over from the special limbs' coefficients.
#pragma once

#include <functional>

#include "scheme/context.h"
#include "runtime/executor.h"
#include "scheme/poly.h"

namespace heml {

// Special limb j to what modDown reads; dst may be src.
void specialToCoefficients(const Context& context, size_t j, uint64_t* dst, const uint64_t* src);

// For the first `limbs` limbs of target: target_i -= P^-1 [x mod P]. after(i), if given, follows while limb i is in the
// cache, on the same thread.
void modDown(const Context& context, const Poly& specialCoefficients, size_t limbs, Poly& target, Executor& executor,
             const std::function<void(size_t i)>& after = nullptr);

// The same for all limbs of wide at `level`, which modDown would leave in it, and then division by the primes of the level:
// what rescaling gives, to the limbs of out. One transform a limb for both.
void modDownRescale(const Context& context, const Poly& specialCoefficients, unsigned level, const Poly& wide, Poly& out,
                    Executor& executor);

}  // namespace heml
