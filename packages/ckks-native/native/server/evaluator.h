// Everything the engine computes on ciphertexts: synchronous, pure functions. Operands are only read, the result is new,
// and an Executor lends the threads. The engine knows levels and degrees, not scales: that bookkeeping is the caller's.
//
// Ciphertext operands of one call must share context and level; plaintexts and keys may be of a higher level (only the
// limbs needed are read). Where "degree 1" is not said, degrees 1 and 2 are accepted and may be mixed.
// Errors: ParameterMismatchError, LevelError, DegreeError, KeyError, InvalidArgumentError (errors.h).
#pragma once

#include <vector>

#include "scheme/ciphertext.h"
#include "runtime/executor.h"
#include "scheme/key-switch-key.h"
#include "scheme/plaintext.h"

namespace heml {

// re + im i, the same in every slot, both integers: a constant times its scale, rounded. |re|, |im| < 2^120.
struct GaussianInteger {
    __int128 re = 0;
    __int128 im = 0;
};

Ciphertext add(const Ciphertext& a, const Ciphertext& b, Executor& executor);
Ciphertext sub(const Ciphertext& a, const Ciphertext& b, Executor& executor);
Ciphertext negate(const Ciphertext& a, Executor& executor);
Ciphertext sum(const std::vector<const Ciphertext*>& terms, Executor& executor);             // at least one

Ciphertext addPlain(const Ciphertext& a, const Plaintext& b, Executor& executor);
Ciphertext subPlain(const Ciphertext& a, const Plaintext& b, Executor& executor);            // a - b
Ciphertext mulPlain(const Ciphertext& a, const Plaintext& b, Executor& executor);

struct PlainTerm {
    const Ciphertext* ciphertext;
    const Plaintext* plaintext;
};
// (accumulator, unless nullptr) + sum of products.
Ciphertext mulPlainAccumulate(const Ciphertext* accumulator, const std::vector<PlainTerm>& terms, Executor& executor);

Ciphertext addScalar(const Ciphertext& a, GaussianInteger scalar, Executor& executor);
Ciphertext mulScalar(const Ciphertext& a, GaussianInteger scalar, Executor& executor);
// Sum of constants times ciphertexts, of which some may have degree 2, and a constant.
struct ScaledTerm {
    const Ciphertext* ciphertext;
    GaussianInteger by;
};
Ciphertext linearCombination(const std::vector<ScaledTerm>& terms, GaussianInteger constant, Executor& executor);
struct ProductTerm {
    const Ciphertext* a;
    const Ciphertext* b;
};
// The same with a constant times the sum of products, at least one, of degree 1 each: degree 2.
Ciphertext productCombination(const std::vector<ProductTerm>& products, GaussianInteger by, const std::vector<ScaledTerm>& terms,
                              GaussianInteger constant, Executor& executor);
// Times i^power, exact, scale and level unchanged.
Ciphertext mulByI(const Ciphertext& a, unsigned power, Executor& executor);

// Degree 1 times degree 1 is degree 2.
Ciphertext mul(const Ciphertext& a, const Ciphertext& b, Executor& executor);
Ciphertext square(const Ciphertext& a, Executor& executor);
// Sum of products, degree 2, one relinearisation to pay instead of one for each.
Ciphertext mulAccumulate(const std::vector<ProductTerm>& terms, Executor& executor);

Ciphertext relinearize(const Ciphertext& a, const KeySwitchKey& key, Executor& executor);    // degree 2 to 1
Ciphertext mulRelinearize(const Ciphertext& a, const Ciphertext& b, const KeySwitchKey& key, Executor& executor);

// rescale(relinearize(a)), to the bit, with fewer transforms.
Ciphertext relinearizeRescale(const Ciphertext& a, const KeySwitchKey& key, Executor& executor);

// Divides by the primes of the top level with exact rounding; level - 1. LevelError at level 0.
Ciphertext rescale(const Ciphertext& a, Executor& executor);
Ciphertext dropLevel(const Ciphertext& a, unsigned level, Executor& executor);
// Reads a level-0 ciphertext of message m as one of m + q_0 I at `level`, I a small integer polynomial.
Ciphertext modRaise(const Ciphertext& a, unsigned level, Executor& executor);
// The same residues in another context with the same N and the same q limbs up to this level.
Ciphertext changeContext(const Ciphertext& a, std::shared_ptr<const Context> context, Executor& executor);

// Degree 1. key.galoisElement() says which automorphism; rotation, conjugation or (element 1) another secret's key.
Ciphertext applyGalois(const Ciphertext& a, const KeySwitchKey& key, Executor& executor);
Ciphertext rotate(const Ciphertext& a, int64_t steps, const KeySwitchKey& key, Executor& executor);
Ciphertext conjugate(const Ciphertext& a, const KeySwitchKey& key, Executor& executor);
// One decomposition for all; results in the order of the keys. nullptr: the identity.
std::vector<Ciphertext> rotateHoisted(const Ciphertext& a, const std::vector<const KeySwitchKey*>& keys, Executor& executor);

// sum over giants g of sigma_g( sum over terms of sigma_b(a) * plaintext ), double hoisted. Plaintexts are extended
// (special limbs too) unless every step is the identity. A null key is the identity; steps of one giant may repeat or
// miss baby keys; equal Galois elements share their work. At least one giant and one term in each.
struct BabyTerm {
    const KeySwitchKey* key;
    const Plaintext* plaintext;
};
struct GiantStep {
    const KeySwitchKey* key;
    std::vector<BabyTerm> terms;
};
Ciphertext linearTransform(const Ciphertext& a, const std::vector<GiantStep>& giants, Executor& executor);
// The same of several at once, in their order: keys and plaintexts are read from memory once for all. At least one; the scratch
// memory is that of as many transforms.
std::vector<Ciphertext> linearTransform(const std::vector<const Ciphertext*>& inputs, const std::vector<GiantStep>& giants,
                                        Executor& executor);
// rescale(linearTransform(a)) of each, to the bit, with fewer transforms.
std::vector<Ciphertext> linearTransformRescale(const std::vector<const Ciphertext*>& inputs, const std::vector<GiantStep>& giants,
                                               Executor& executor);

// result_r = sum over c of weights[r * inputs.size() + c] * inputs_c.
std::vector<Ciphertext> matrixProduct(const std::vector<const Ciphertext*>& inputs, const std::vector<int64_t>& weights,
                                      size_t rows, Executor& executor);

}  // namespace heml
