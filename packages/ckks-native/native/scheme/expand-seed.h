// The uniform polynomials that files store as seeds. One stream family per object: docs/notes/sampling.md.
#pragma once

#include "ciphertext.h"
#include "runtime/executor.h"
#include "key-switch-key.h"
#include "public-key.h"
#include "uniform-sampler.h"

namespace heml {

// One limb: residues modulo the context's modulus `modulusIndex`, in evaluation order.
void expandLimb(uint64_t* out, const Context& context, size_t modulusIndex, const Seed& seed, uint64_t domain,
                Expansion expansion);

void expandA(KeySwitchKey& key, Executor& executor);  // every a half, from key.seed by key.expansion
void expandA(PublicKey& key, Executor& executor);
void expandC1(Ciphertext& ciphertext, const Seed& seed, Executor& executor);  // c1 of a fresh ciphertext

}  // namespace heml
