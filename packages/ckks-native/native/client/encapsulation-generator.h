// Makes the two keys of sparse-secret encapsulation (scheme/encapsulation-key.h).
#pragma once

#include <memory>

#include "scheme/encapsulation-key.h"
#include "secret-key.h"

namespace heml {

// Draws a sparse secret, makes both keys and wipes it. The seed, by default fresh, is as secret as `dense`.
EncapsulationKey generateEncapsulationKey(const SecretKey& dense, const std::shared_ptr<const Context>& ephemeral, unsigned level,
                                          Executor& executor);
EncapsulationKey generateEncapsulationKey(const SecretKey& dense, const std::shared_ptr<const Context>& ephemeral, unsigned level,
                                          const Seed& seed, Executor& executor);

}  // namespace heml
