// A ternary secret: N coefficients of {-1, 0, 1} and their transform modulo every prime of the context, special ones
// included. All of it lies in memory that is wiped when freed. Belongs to the client; no evaluator takes one.
#pragma once

#include "scheme/context.h"
#include "runtime/executor.h"
#include "scheme/poly.h"
#include "scheme/shake.h"

namespace heml {

class SecretKey {
public:
    // Uniform ternary. The seed is as secret as the key; by default it is fresh and forgotten.
    static SecretKey generate(std::shared_ptr<const Context> context);
    static SecretKey generate(std::shared_ptr<const Context> context, const Seed& seed);
    // Exactly `weight` coefficients are not 0: for bootstrapping's ephemeral secret only.
    static SecretKey generateSparse(std::shared_ptr<const Context> context, size_t weight);
    static SecretKey generateSparse(std::shared_ptr<const Context> context, size_t weight, const Seed& seed);
    // N values; throws FormatError unless all are -1, 0 or 1.
    static SecretKey fromTernary(std::shared_ptr<const Context> context, const int8_t* values);

    // The same secret modulo another context's primes; the degree must agree.
    SecretKey inContext(std::shared_ptr<const Context> other) const;

    const std::shared_ptr<const Context>& context() const { return context_; }
    const int8_t* ternary() const { return reinterpret_cast<const int8_t*>(ternary_.data()); }
    // Evaluation order, by index into the context's moduli.
    const uint64_t* limb(size_t modulusIndex) const { return poly_.limb(modulusIndex); }

private:
    explicit SecretKey(std::shared_ptr<const Context> context);
    int8_t* coefficients() { return reinterpret_cast<int8_t*>(ternary_.data()); }
    void transform();

    std::shared_ptr<const Context> context_;
    Buffer ternary_;
    Poly poly_;
};

}  // namespace heml
