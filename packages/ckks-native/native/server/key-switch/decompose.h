// The first half of key switching, which hoisting shares: a polynomial cut into digits of consecutive q limbs.
#pragma once

#include <array>
#include <vector>

#include "scheme/context.h"
#include "runtime/executor.h"
#include "scheme/poly.h"

namespace heml {

// Split limbs (see kernels.h), limb i of digit d times (Q_d / q_i)^-1: what modUp of a digit starts from.
// d = sum over digits of [d]_Q_d in RNS form, as the gadget P [q_i in digit] wants it (Han and Ki, ePrint 2019/688).
void decomposeLimb(const Context& context, size_t limbs, size_t i, uint64_t* dst, const uint64_t* evaluation);
Poly decompose(const Context& context, const Poly& evaluation, Executor& executor);

// The first `limbs` q limbs and all special limbs, numbered in this order: the targets of a key switch.
inline size_t targetCount(const Context& context, size_t limbs) { return limbs + context.specialLimbs(); }
inline size_t modulusOf(const Context& context, size_t limbs, size_t target) {
    return target < limbs ? target : context.qLimbs() + (target - limbs);
}

// modUp of all digits to all targets: by columns, so that a source is read once for all targets and the count of overflows is
// found once; the rows of the transform belong to whoever uses a target, whose digits are then in the cache.
class Digits {
public:
    Digits(const Context& context, size_t limbs);

    // split: decompose(evaluation). Both must outlive the use of the digits.
    void convert(const Poly& evaluation, const Poly& split, Executor& executor);
    // The digits modulo one target's prime, as the key products take them (nttForwardRows). One of these to a thread.
    class Target {
    public:
        // words: how many entries are wanted at a time.
        Target(const Digits& digits, size_t words);

        // Makes entries [begin, end) of all digits: rows. next: what is made after that; ahead, if given, of every digit the key
        // rows that are read next.
        void transform(size_t target, size_t begin, size_t end, const kernel::NextRows& next = {},
                       const std::vector<std::array<kernel::MemoryRun, 2>>* ahead = nullptr);
        // What transform reads first.
        kernel::NextRows first(size_t target, size_t begin) const;
        // Of each digit the entries made last; a digit's own limbs are those of the polynomial.
        const uint64_t* const* digits() const { return pointers_.data(); }
        size_t count() const { return pointers_.size(); }

    private:
        const Digits& of_;
        Poly rows_;
        std::vector<const uint64_t*> pointers_;
    };

    bool owns(size_t digit, size_t target) const { return target < limbs_ && target / context_.digitLimbs() == digit; }

private:
    const uint64_t* splitLimb(size_t target, size_t digit) const { return split_.limb(target * count_ + digit); }

    const Context& context_;
    size_t limbs_;
    size_t count_;
    const Poly* evaluation_ = nullptr;
    Poly split_;  // [target][digit]
};

}  // namespace heml
