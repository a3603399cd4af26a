// Automorphisms: sigma(c_0) + sigma(c_1) sigma(s), brought back to s with the key for sigma.
#include "server/evaluator.h"
#include "operands.h"
#include "server/key-switch/switch-keys.h"

namespace heml {

namespace {

void requireGaloisKey(const Ciphertext& a, const KeySwitchKey& key) {
    requireKey(a, key);
    if (key.galoisElement() == KeySwitchKey::RELINEARIZATION) {
        throw KeyError("expected a Galois key, got a relinearization key");
    }
}

void requireElement(const KeySwitchKey& key, uint32_t element, const char* operation) {
    if (key.galoisElement() != element) {
        throw KeyError(std::string(operation) + " needs the key for Galois element " + std::to_string(element) +
                       ", got the one for " + std::to_string(key.galoisElement()));
    }
}

// Element 1 (a change of secret) permutes nothing.
const kernel::AutomorphismTable* tableOf(const Context& context, const KeySwitchKey& key) {
    return key.galoisElement() == 1 ? nullptr : &context.automorphism(key.galoisElement());
}

}  // namespace

std::vector<Ciphertext> rotateHoisted(const Ciphertext& a, const std::vector<const KeySwitchKey*>& keys, Executor& executor) {
    requireDegreeOne(a, "rotate");
    const Context& context = *a.context();
    std::vector<Ciphertext> out;
    for (const KeySwitchKey* key : keys) {
        if (key) requireGaloisKey(a, *key);
        out.push_back(key ? Ciphertext(a.context(), a.level(), 1) : a.clone());
    }
    std::vector<SwitchResult> results;
    for (size_t r = 0; r < keys.size(); ++r) {
        if (!keys[r]) continue;
        const auto* table = tableOf(context, *keys[r]);
        results.push_back({{{0, keys[r], table, {{&a.poly(0)}}}}, {}, &out[r]});
    }
    if (results.empty()) return out;
    const Poly coefficients = decompose(context, a.poly(1), executor);
    switchKeys(context, a.level(), {{&a.poly(1), &coefficients}}, 1, results, executor);
    return out;
}

Ciphertext applyGalois(const Ciphertext& a, const KeySwitchKey& key, Executor& executor) {
    return std::move(rotateHoisted(a, {&key}, executor)[0]);
}

Ciphertext rotate(const Ciphertext& a, int64_t steps, const KeySwitchKey& key, Executor& executor) {
    requireDegreeOne(a, "rotate");
    requireElement(key, a.context()->galoisElement(steps), "this rotation");
    return applyGalois(a, key, executor);
}

Ciphertext conjugate(const Ciphertext& a, const KeySwitchKey& key, Executor& executor) {
    requireDegreeOne(a, "conjugate");
    requireElement(key, a.context()->conjugation(), "conjugate");
    return applyGalois(a, key, executor);
}

}  // namespace heml
