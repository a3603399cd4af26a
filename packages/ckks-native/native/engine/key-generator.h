// Makes the public material of one secret: public, relinearisation, Galois and general switching keys, each at a level.
//
// Every key takes two seeds from the generator's own: one public, for its a halves, and one private, for its errors.
// Errors are one small polynomial per digit, transformed modulo every target prime. See key-switch-key.h for the gadget.
#pragma once

#include <atomic>

#include "executor.h"
#include "key-switch-key.h"
#include "public-key.h"
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
    // from -> s, marked with the identity's Galois element, 1.
    KeySwitchKey switchingKey(unsigned level, const SecretKey& from, Executor& executor);

private:
    class Randomness;
    // source(out, target modulus index): the limb of s' in evaluation order.
    template <class Source>
    KeySwitchKey makeKey(unsigned level, uint32_t galoisElement, Executor& executor, Source source);

    const SecretKey& secret_;
    Seed seed_;
    std::atomic<uint64_t> made_{0};
};

}  // namespace heml
