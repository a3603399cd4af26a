// Division by P with rounding: x mod QP to round(x / P) mod q. With q limbs already times P^-1, a limb is finished by
// subtracting P^-1 [x mod P centred], brought over from the special limbs' coefficients.
#pragma once

#include "context.h"
#include "poly.h"

namespace heml {

// Special limb j to what modDownLimbs reads; dst may be src.
void specialToCoefficients(const Context& context, size_t j, uint64_t* dst, const uint64_t* src);

// q limbs moduli[0 .. count): targets[t] = targets[t] - P^-1 [x mod P] for x given by its special coefficients.
// scratch: count limbs.
void modDownLimbs(const Context& context, const Poly& specialCoefficients, const size_t* moduli, size_t count,
                  uint64_t* const* targets, Poly& scratch);

}  // namespace heml
