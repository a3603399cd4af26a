// The baby steps of a double-hoisted linear transform: which of them there are, and their products modulo one prime.
#pragma once

#include <vector>

#include "scheme/context.h"
#include "server/evaluator.h"

namespace heml {

// One distinct baby rotation; plaintexts[g] of each giant step, nullptr where it has none. No key: the identity.
struct Baby {
    const KeySwitchKey* key;
    std::vector<const Plaintext*> plaintexts;
};

std::vector<Baby> collectBabies(const std::vector<GiantStep>& giants);

// What inputs[i].out0 and out1 (as many limbs each as there are giant steps) become modulo the prime: the sums of each giant step of
// rotated inputs times plaintexts. Keys are of the context, plaintexts of one that has its q limbs and, at least, its special limbs,
// first; key products with an identity count as multiples of P. All keys are packed or none is.
void hoistedProducts(const Context& context, const std::vector<Baby>& babies, const std::vector<kernel::HoistedInput>& inputs,
                     size_t digitCount, size_t modulus);

}  // namespace heml
