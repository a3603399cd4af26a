#include "decryptor.h"

#include <cstring>

#include "scheme/encoder.h"

namespace heml {

namespace {

constexpr double MESSAGE_BITS = 128;     // what Encoder::decode reads

unsigned lowestLevel(const Context& context, unsigned level) {
    for (unsigned low = 0; low < level; ++low) {
        if (logModulus(context, context.limbsAt(low)) >= MESSAGE_BITS) return low;
    }
    return level;
}

void decryptLimb(uint64_t* out, const Ciphertext& ciphertext, const SecretKey& secret, size_t i) {
    const Context& context = *secret.context();
    const auto& kernels = context.kernels();
    const size_t n = context.ringDegree();
    const kernel::Modulus& modulus = context.modulus(i);
    const unsigned degree = ciphertext.degree();
    std::memcpy(out, ciphertext.limb(degree, i), n * sizeof(uint64_t));
    for (unsigned power = degree; power-- > 0;) {                  // Horner
        kernels.mul(out, out, secret.limb(i), n, modulus);
        kernels.add(out, out, ciphertext.limb(power, i), n, modulus);
    }
}

}  // namespace

Plaintext decrypt(const Ciphertext& ciphertext, const SecretKey& secret, const DecryptOptions& options, Executor& executor) {
    if (!ciphertext.context()) throw InvalidArgumentError("decrypt: an empty ciphertext");
    if (!ciphertext.context()->sameAs(*secret.context())) {
        throw ParameterMismatchError("decrypt: the ciphertext and the secret key belong to different parameters");
    }
    if (!options.allowTransparent && ciphertext.transparent()) {
        throw InvalidArgumentError("decrypt: c1 is zero, so this ciphertext hides nothing; refused");
    }
    const Context& context = *secret.context();
    const unsigned level = options.allLimbs ? ciphertext.level() : lowestLevel(context, ciphertext.level());
    Plaintext plaintext(secret.context(), level, false, 0, true);
    executor.parallelFor(plaintext.limbs(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) decryptLimb(plaintext.limb(i), ciphertext, secret, i);
    });
    return plaintext;
}

}  // namespace heml
