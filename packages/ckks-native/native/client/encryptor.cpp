#include "encryptor.h"

#include <cstring>

#include "scheme/expand-seed.h"
#include "small-poly.h"

namespace heml {

namespace {

// A private seed for one encryption, wiped at the end.
class Ephemeral {
public:
    Ephemeral() : seed(randomSeed()) {}
    ~Ephemeral() { explicit_bzero(seed.data(), seed.size()); }
    Ephemeral(const Ephemeral&) = delete;
    Ephemeral& operator=(const Ephemeral&) = delete;
    Seed seed;
};

void checkContexts(const Plaintext& plaintext, const Context& context) {
    if (!plaintext.context()) throw InvalidArgumentError("encrypt: an empty plaintext");
    if (!plaintext.context()->sameAs(context)) {
        throw ParameterMismatchError("encrypt: the plaintext and the key belong to different parameters");
    }
}

// limb += the plaintext's, periodic or not.
void addPlaintext(uint64_t* limb, const Plaintext& plaintext, size_t i) {
    const Context& context = *plaintext.context();
    const kernel::Modulus& modulus = context.modulus(i);
    const uint64_t* values = plaintext.limb(i);
    const size_t n = context.ringDegree();
    if (plaintext.logRepeat() == 0) {
        context.kernels().add(limb, limb, values, n, modulus);
        return;
    }
    for (size_t k = 0; k < n; ++k) limb[k] = kernel::addMod(limb[k], values[k >> plaintext.logRepeat()], modulus);
}

}  // namespace

SeededCiphertext encrypt(const Plaintext& plaintext, const SecretKey& secret, const Seed& randomness, Executor& executor) {
    checkContexts(plaintext, *secret.context());
    const Context& context = *secret.context();
    const size_t n = context.ringDegree();
    SeededCiphertext result{Ciphertext(secret.context(), plaintext.level()), deriveSeed(randomness, "c1")};
    Ciphertext& out = result.ciphertext;
    expandC1(out, result.seed, executor);
    const SmallPoly error(context, SmallPoly::Kind::Error, randomness, 0);
    executor.parallelFor(out.limbs(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            error.limb(out.limb(0, i), i);
            context.kernels().mulSub(out.limb(0, i), out.limb(1, i), secret.limb(i), n, context.modulus(i));
            addPlaintext(out.limb(0, i), plaintext, i);
        }
    });
    return result;
}

SeededCiphertext encrypt(const Plaintext& plaintext, const SecretKey& secret, Executor& executor) {
    const Ephemeral ephemeral;
    return encrypt(plaintext, secret, ephemeral.seed, executor);
}

Ciphertext encrypt(const Plaintext& plaintext, const PublicKey& key, const Seed& randomness, Executor& executor) {
    checkContexts(plaintext, *key.context());
    if (plaintext.level() > key.level()) {
        throw LevelError("encrypt: the public key is for level " + std::to_string(key.level()) +
                         " and below, the plaintext is at level " + std::to_string(plaintext.level()));
    }
    const Context& context = *key.context();
    const auto& kernels = context.kernels();
    const size_t n = context.ringDegree();
    Ciphertext out(key.context(), plaintext.level());
    const SmallPoly v(context, SmallPoly::Kind::Ternary, randomness, 0);
    const SmallPoly e0(context, SmallPoly::Kind::Error, randomness, 0);
    const SmallPoly e1(context, SmallPoly::Kind::Error, randomness, 1);
    executor.parallelFor(out.limbs(), [&](size_t begin, size_t end) {
        Poly mask(context.pool(), 1, n, MemoryKind::Scratch, true);
        for (size_t i = begin; i < end; ++i) {
            const kernel::Modulus& modulus = context.modulus(i);
            v.limb(mask.limb(0), i);
            e0.limb(out.limb(0, i), i);
            e1.limb(out.limb(1, i), i);
            kernels.mulAdd(out.limb(0, i), mask.limb(0), key.b().limb(i), n, modulus);
            kernels.mulAdd(out.limb(1, i), mask.limb(0), key.a().limb(i), n, modulus);
            addPlaintext(out.limb(0, i), plaintext, i);
        }
    });
    return out;
}

Ciphertext encrypt(const Plaintext& plaintext, const PublicKey& key, Executor& executor) {
    const Ephemeral ephemeral;
    return encrypt(plaintext, key, ephemeral.seed, executor);
}

}  // namespace heml
