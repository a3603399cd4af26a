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

struct Range {
    size_t begin, end;
};

// -P^-1 [x mod P] of several x, split: whoever finishes a limb adds its rows. special: all special limbs of each, split; out: these
// q limbs of each are made. which: of both lists.
void convertSpecial(const Context& context, const std::vector<Poly>& special, Range which, Range limbs, std::vector<Poly>& out,
                    Executor& executor);

// The same less what rescaling at `level` takes away before it divides, for the q limbs below the level's. dropped: of each, the
// limbs of the level, divided by P, by splitDropped.
void convertSpecialAndDropped(const Context& context, const std::vector<Poly>& special, const std::vector<Poly>& dropped,
                              Range which, unsigned level, std::vector<Poly>& out, Executor& executor);

// What splitSpecial is, of the d-th limb that rescaling at `level` drops.
void splitDropped(const Context& context, unsigned level, size_t d, uint64_t* dst, const uint64_t* src, size_t begin, size_t end);

// For the first `limbs` limbs of target: target_i -= P^-1 [x mod P]. after(i), if given, follows while limb i is in the
// cache, on the same thread.
void modDown(const Context& context, const Poly& special, size_t limbs, Poly& target, Executor& executor,
             const std::function<void(size_t i)>& after = nullptr);

// Both divisions, by P and by the primes of `level`, of several x: targets are their q limbs below the level's, `dropped` those of
// the level (and perhaps more, which are not looked at). special as above.
void modDownAndRescale(const Context& context, const std::vector<Poly>& special, std::vector<Poly>& dropped, unsigned level,
                       const std::vector<Poly*>& targets, Executor& executor);

}  // namespace heml
