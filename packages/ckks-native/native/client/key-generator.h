// Makes the public material of one secret: public, relinearisation, Galois and general switching keys, each at a level.
//
// Every key takes two seeds from the generator's own: one public, for its a halves, and one private, for its errors.
// Errors are one small polynomial per digit, transformed modulo every target prime. See key-switch-key.h for the gadget.
#pragma once

#include <atomic>
#include <functional>

#include "runtime/executor.h"
#include "scheme/key-switch-key.h"
#include "scheme/public-key.h"
#include "secret-key.h"

namespace heml {

class KeyGenerator {
public:
    // The secret must outlive the generator. A given seed makes the keys reproducible, and is as secret as the secret.
    explicit KeyGenerator(const SecretKey& secret);
    KeyGenerator(const SecretKey& secret, const Seed& seed);
    ~KeyGenerator();
    KeyGenerator(const KeyGenerator&) = delete;
    KeyGenerator& operator=(const KeyGenerator&) = delete;

    // Safe from several threads at once; with a given seed the order of calls decides which key gets which randomness.
    PublicKey publicKey(unsigned level, Executor& executor);
    KeySwitchKey relinearizationKey(unsigned level, Executor& executor);                       // s^2 -> s
    KeySwitchKey galoisKey(unsigned level, uint32_t galoisElement, Executor& executor);        // sigma(s) -> s
    // sigma(from) -> s; element 1: from -> s. ParameterMismatchError for a secret in another context.
    KeySwitchKey switchingKey(unsigned level, const SecretKey& from, uint32_t galoisElement, Executor& executor);

    // The same keys straight to their seeded segments (serialize.h), limb by limb: nothing else of their size is needed.
    // `size` must be keySwitchKeyBytes(context, level, true). Element RELINEARIZATION: s^2 -> s.
    void writeSeededKey(uint8_t* out, size_t size, unsigned level, uint32_t galoisElement, Executor& executor);
    void writeSeededSwitchingKey(uint8_t* out, size_t size, unsigned level, const SecretKey& from, uint32_t galoisElement,
                                 Executor& executor);

private:
    class Randomness;
    // (out, modulus index): a limb of s' in evaluation order.
    using Source = std::function<void(uint64_t* out, size_t modulusIndex)>;

    Source squaredSecret() const;
    Source permuted(const SecretKey& from, uint32_t galoisElement) const;
    void write(uint8_t* out, size_t size, unsigned level, Executor& executor, const Source& source);
    KeySwitchKey makeKey(unsigned level, uint32_t galoisElement, Executor& executor, const Source& source);
    // Computes b and a of every target and digit at place(target, digit, scratch), then calls done(target, digit, scratch).
    template <class Place, class Done>
    void makeLimbs(const Randomness& randomness, unsigned level, Executor& executor, const Source& source, Place place,
                   Done done);

    const SecretKey& secret_;
    Seed seed_;
    std::atomic<uint64_t> made_{0};
};

}  // namespace heml
