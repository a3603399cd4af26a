// Makes the keys of sparse-secret encapsulation (scheme/encapsulation-key.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "scheme/encapsulation-key.h"
#include "secret-key.h"

namespace heml {

// Of which contexts the keys are.
struct EncapsulationContexts {
    std::shared_ptr<const Context> ephemeral;
    std::shared_ptr<const Context> raising = nullptr;  // nullptr: the way back is one key of the secret's own context
};

// What to make.
struct EncapsulationRequest {
    unsigned level = 0;  // the highest that modRaise reaches
    std::vector<uint32_t> elements = {};  // Galois elements besides 1 of the raising context's keys; none without that context
};

// Draws a sparse secret, makes all keys and wipes it. The seed, by default fresh, is as secret as `dense`. Throws
// InvalidArgumentError for elements without a raising context, or that are none.
EncapsulationKey generateEncapsulationKey(const SecretKey& dense, const EncapsulationContexts& contexts,
                                          const EncapsulationRequest& request, Executor& executor);
EncapsulationKey generateEncapsulationKey(const SecretKey& dense, const EncapsulationContexts& contexts,
                                          const EncapsulationRequest& request, const Seed& seed, Executor& executor);

// The same keys straight to their seeded segments: the switch to the sparse secret, the one back, and one for each element.
// allocate(bytes) gives the memory of the next of these.
void writeEncapsulationKey(const SecretKey& dense, const EncapsulationContexts& contexts, const EncapsulationRequest& request,
                           const std::function<uint8_t*(size_t bytes)>& allocate, Executor& executor);

}  // namespace heml
