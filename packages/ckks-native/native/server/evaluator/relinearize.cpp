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

void requireDegreeTwo(const Ciphertext& a) {
    if (a.degree() != 2) throw DegreeError("relinearize needs a ciphertext of degree 2, got " + std::to_string(a.degree()));
}

// rescales: divided by the primes of its level as well.
Ciphertext switched(const Ciphertext& a, const KeySwitchKey& key, bool rescales, Executor& executor) {
    const Context& context = *a.context();
    Ciphertext out(a.context(), rescales ? a.level() - 1 : a.level(), 1);
    const Poly coefficients = decompose(context, a.poly(2), executor);
    const SwitchResult result{{{0, &key, nullptr}}, {{&a.poly(0), &a.poly(1)}}, &out, rescales};
    switchKeys(context, a.level(), {{&a.poly(2), &coefficients}}, 1, {result}, executor);
    return out;
}

}  // namespace

Ciphertext relinearize(const Ciphertext& a, const KeySwitchKey& key, Executor& executor) {
    requireRelinearizationKey(a, key);
    requireDegreeTwo(a);
    return switched(a, key, false, executor);
}

Ciphertext relinearizeRescale(const Ciphertext& a, const KeySwitchKey& key, Executor& executor) {
    requireRelinearizationKey(a, key);
    requireDegreeTwo(a);
    requireRescalable(a);
    return switched(a, key, true, executor);
}

Ciphertext mulRelinearize(const Ciphertext& a, const Ciphertext& b, const KeySwitchKey& key, Executor& executor) {
    requireCiphertext(a);
    requireRelinearizationKey(a, key);
    return relinearize(mul(a, b, executor), key, executor);
}

}  // namespace heml
