#include "decryptor.h"

#include <cmath>
#include <cstring>

#include "encoder.h"
#include "sampler.h"

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

void flood(Plaintext& plaintext, double sigma, Executor& executor) {
    const Context& context = *plaintext.context();
    const size_t n = context.ringDegree();
    Seed seed = randomSeed();
    Buffer noise = context.pool().allocate(n * sizeof(__int128), MemoryKind::Scratch, true);
    __int128* values = reinterpret_cast<__int128*>(noise.data());
    sampleWideGaussian(values, n, sigma, seed, 0, keccakPermute8For(context.kernels().name));
    explicit_bzero(seed.data(), seed.size());
    executor.parallelFor(plaintext.limbs(), [&](size_t begin, size_t end) {
        Poly residues(context.pool(), 1, n, MemoryKind::Scratch, true);
        for (size_t i = begin; i < end; ++i) {
            reduceWide(residues.limb(0), values, n, context.modulus(i).value);
            context.kernels().nttForward(residues.limb(0), residues.limb(0), context.tables(i));
            context.kernels().add(plaintext.limb(i), plaintext.limb(i), residues.limb(0), n, context.modulus(i));
        }
    });
}

}  // namespace

Plaintext decrypt(const Ciphertext& ciphertext, const SecretKey& secret, const DecryptOptions& options,
                  Executor& executor) {
    if (!ciphertext.context()) throw InvalidArgumentError("decrypt: an empty ciphertext");
    if (!ciphertext.context()->sameAs(*secret.context())) {
        throw ParameterMismatchError("decrypt: the ciphertext and the secret key belong to different parameters");
    }
    if (!(options.floodingSigma >= 0) || options.floodingSigma > MAX_WIDE_SIGMA) {
        throw InvalidArgumentError("decrypt: floodingSigma must be between 0 and 2^60, got " +
                                   std::to_string(options.floodingSigma));
    }
    if (!options.allowTransparent && ciphertext.transparent()) {
        throw InvalidArgumentError("decrypt: c1 is zero, so this ciphertext hides nothing; refused");
    }
    const Context& context = *secret.context();
    const unsigned level = options.allLimbs ? ciphertext.level() : lowestLevel(context, ciphertext.level());
    Plaintext plaintext(secret.context(), level);
    executor.parallelFor(plaintext.limbs(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) decryptLimb(plaintext.limb(i), ciphertext, secret, i);
    });
    if (options.floodingSigma > 0 &&
        std::log2(options.floodingSigma) + 4 > logModulus(context, plaintext.limbs()) - 1) {
        throw InvalidArgumentError("decrypt: flooding noise of sigma " + std::to_string(options.floodingSigma) +
                                   " does not fit the modulus of level " + std::to_string(level));
    }
    if (options.floodingSigma > 0) flood(plaintext, options.floodingSigma, executor);
    return plaintext;
}

}  // namespace heml
