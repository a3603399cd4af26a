// Key switching in its general form: several results, each a sum of key products of decomposed polynomials and of plain
// addends modulo QP, divided by P once. Relinearisation and rotation are one input and one result; hoisted rotations
// one input and many results; the giant steps of a linear transform many inputs and one result.
//
// Target limb after target limb: the digits' transforms, then the inner product with each key while they are in the
// cache; special limbs go back to coefficients at once. Keys stream through once, in their order in memory.
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

struct SwitchTerm {
    size_t input;
    const KeySwitchKey* key;
    const kernel::AutomorphismTable* automorphism;       // of the input; nullptr: none
};

struct SwitchAddend {
    unsigned half;                                       // 0 or 1: to which polynomial of the result
    const Poly* poly;                                    // q limbs, perhaps special limbs after them (at specialAt)
    size_t specialAt;                                    // NO_SPECIAL: multiples of P, nothing to add there
    const kernel::AutomorphismTable* automorphism;
    static constexpr size_t NO_SPECIAL = ~size_t{0};
};

struct SwitchResult {
    std::vector<SwitchTerm> terms;                       // at least one
    std::vector<SwitchAddend> addends;
    Ciphertext* out;                                     // degree 1 at the level
    bool rescales = false;                               // out is one level lower: what rescaling the result gives
};

void switchKeys(const Context& context, unsigned level, const std::vector<SwitchInput>& inputs,
                const std::vector<SwitchResult>& results, Executor& executor);

}  // namespace heml
