// The first half of key switching, which hoisting shares: a polynomial cut into digits of consecutive q limbs.
#pragma once

#include <vector>

#include "scheme/context.h"
#include "runtime/executor.h"
#include "scheme/poly.h"
#include "row-steps.h"

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

    // split: decompose(evaluation), no longer read then; evaluation must outlive the use of the digits.
    void convert(const Poly& evaluation, const Poly& split, Executor& executor);
    // The digits modulo one target's prime, as the key products take them (nttForwardRows). One of these to a thread.
    class Target {
    public:
        // words: how many entries are wanted at a time, N or rowWords.
        Target(const Digits& digits, size_t words);

        // The transforms that make the entries from `begin` on, to the end of the list.
        void steps(size_t target, size_t begin, RowSteps& list);
        // The first of these.
        kernel::NextRows first(size_t target, size_t begin) const;
        // What they make of each digit; a digit's own limbs are those of the polynomial.
        const uint64_t* const* digits(size_t target, size_t begin);

    private:
        const Digits& of_;
        Poly rows_;
        std::vector<const uint64_t*> pointers_;
    };

    size_t count() const { return count_; }
    // Entries from `begin` on of the polynomial, where a digit has them modulo this prime; else nullptr.
    const uint64_t* ownRows(size_t target, size_t begin) const {
        return target < limbs_ ? evaluation_->limb(target) + begin : nullptr;
    }
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
