// From degree 2 back to degree 1: c_2 s^2 becomes a pair under s.
#include "server/evaluator.h"
#include "operands.h"
#include "server/key-switch/switch-keys.h"

namespace heml {

namespace {

void requireRelinearizationKey(const Ciphertext& a, const KeySwitchKey& key) {
    requireKey(a, key);
    if (key.galoisElement() != KeySwitchKey::RELINEARIZATION) {
        throw KeyError("expected a relinearization key, got one for Galois element " + std::to_string(key.galoisElement()));
    }
}

// rescaled, if given, gets the result divided by the primes of its level; what is returned is then unfinished.
Ciphertext switched(const Ciphertext& a, const KeySwitchKey& key, Ciphertext* rescaled, Executor& executor) {
    if (a.degree() != 2) throw DegreeError("relinearize needs a ciphertext of degree 2, got " + std::to_string(a.degree()));
    const Context& context = *a.context();
    Ciphertext out(a.context(), a.level(), 1);
    const Poly coefficients = decompose(context, a.poly(2), executor);
    const std::vector<SwitchAddend> addends = {{0, &a.poly(0), SwitchAddend::NO_SPECIAL, nullptr},
                                               {1, &a.poly(1), SwitchAddend::NO_SPECIAL, nullptr}};
    switchKeys(context, a.level(), {{&a.poly(2), &coefficients}}, {{{{0, &key, nullptr}}, addends, &out, rescaled}}, executor);
    return out;
}

}  // namespace

Ciphertext relinearize(const Ciphertext& a, const KeySwitchKey& key, Executor& executor) {
    requireRelinearizationKey(a, key);
    return switched(a, key, nullptr, executor);
}

Ciphertext relinearizeRescale(const Ciphertext& a, const KeySwitchKey& key, Executor& executor) {
    requireRelinearizationKey(a, key);
    requireRescalable(a);
    Ciphertext out(a.context(), a.level() - 1, 1);
    switched(a, key, &out, executor);
    return out;
}

Ciphertext mulRelinearize(const Ciphertext& a, const Ciphertext& b, const KeySwitchKey& key, Executor& executor) {
    requireCiphertext(a);
    requireRelinearizationKey(a, key);
    return relinearize(mul(a, b, executor), key, executor);
}

}  // namespace heml
