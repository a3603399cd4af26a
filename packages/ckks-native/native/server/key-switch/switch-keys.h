// Key switching in its general form: several results, each a sum of key products of decomposed polynomials and of plain
// addends modulo QP, divided by P once. Relinearisation and rotation are one input and one result; hoisted rotations
// one input and many results; the giant steps of a linear transform many inputs and one result.
//
// Rows of one limb at a time: the digits' transforms and the products with keys while these are in the cache, with all that is
// added. With the last inputs the special limbs are made first, so that a q limb is finished where it is made.
// modulo QP here: q limbs hold the value times P^-1, special limbs the value itself (see key-switch-key.h).
#pragma once

#include <vector>

#include "scheme/ciphertext.h"
#include "runtime/executor.h"
#include "scheme/key-switch-key.h"
#include "decompose.h"

namespace heml {

struct SwitchInput {
    const Poly* evaluation;                              // q limbs of the level, evaluation order
    const Poly* split;                                   // decompose(evaluation)
};

// Of each half of a result what is added to it, or nullptr: q limbs of the level and, unless it is a multiple of P, special limbs
// after them.
struct SwitchAddends {
    const Poly* half[2] = {nullptr, nullptr};
};

struct SwitchTerm {
    size_t input;
    const KeySwitchKey* key;
    const kernel::AutomorphismTable* automorphism;  // of the input and the addends; nullptr: none
    SwitchAddends addends = {};
};

struct SwitchResult {
    std::vector<SwitchTerm> terms;  // one of every group of inputs, in their order
    SwitchAddends addends;
    Ciphertext* out;  // degree 1 at the level
    bool rescales = false;  // out is one level lower: what rescaling the result gives; of all results alike
};

// together: inputs whose digits are in memory at a time, a group; a divisor of their number, which is not 0.
void switchKeys(const Context& context, unsigned level, const std::vector<SwitchInput>& inputs, size_t together,
                const std::vector<SwitchResult>& results, Executor& executor);

}  // namespace heml
