// Division by P with rounding: x mod QP to round(x / P) mod q. With q limbs already times P^-1, a limb is finished by
// subtracting P^-1 [x mod P centred], brought over from the special limbs.
#pragma once

#include <functional>
#include <vector>

#include "scheme/context.h"
#include "runtime/executor.h"
#include "scheme/poly.h"

namespace heml {

// Entries [begin, end) of special limb j, rows in evaluation order that begin at src, to the split limb dst, which is what the
// others read.
void splitSpecial(const Context& context, size_t j, uint64_t* dst, const uint64_t* src, size_t begin, size_t end);

// -P^-1 [x mod P] of several x, split: whoever finishes a limb adds its rows. special: all special limbs of each, split; out: as
// many q limbs of each as are wanted.
void convertSpecial(const Context& context, const std::vector<Poly>& special, std::vector<Poly>& out, Executor& executor);

// For the first `limbs` limbs of target: target_i -= P^-1 [x mod P]. after(i), if given, follows while limb i is in the
// cache, on the same thread.
void modDown(const Context& context, const Poly& special, size_t limbs, Poly& target, Executor& executor,
             const std::function<void(size_t i)>& after = nullptr);

// The same for all limbs of wide at `level`, which modDown would leave in it, and then division by the primes of the level:
// what rescaling gives, to the limbs of out. One transform a limb for both; the dropped limbs of wide are changed.
void modDownRescale(const Context& context, const Poly& special, unsigned level, Poly& wide, Poly& out, Executor& executor);

}  // namespace heml
