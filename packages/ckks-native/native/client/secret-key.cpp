#include "secret-key.h"

#include <cstring>
#include <string>

#include "sampler.h"

namespace heml {

SecretKey::SecretKey(std::shared_ptr<const Context> context) : context_(std::move(context)) {
    if (!context_) throw InvalidArgumentError("a secret key needs a context");
    MemoryPool& pool = context_->pool();
    ternary_ = pool.allocate(context_->ringDegree(), MemoryKind::Key, true);
    poly_ = Poly(pool, context_->moduli(), context_->ringDegree(), MemoryKind::Key, true);
}

void SecretKey::transform() {
    const size_t n = context_->ringDegree();
    for (size_t i = 0; i < context_->moduli(); ++i) {
        reduceSmall(poly_.limb(i), coefficients(), n, context_->modulus(i).value);
        context_->kernels().nttForward(poly_.limb(i), poly_.limb(i), context_->tables(i));
    }
}

SecretKey SecretKey::generate(std::shared_ptr<const Context> context) {
    Seed seed = randomSeed();
    SecretKey key = generate(std::move(context), seed);
    explicit_bzero(seed.data(), seed.size());
    return key;
}

SecretKey SecretKey::generate(std::shared_ptr<const Context> context, const Seed& seed) {
    SecretKey key(std::move(context));
    sampleTernary(key.coefficients(), key.context_->ringDegree(), seed, 0, keccakPermute8For(key.context_->kernels().name));
    key.transform();
    return key;
}

SecretKey SecretKey::generateSparse(std::shared_ptr<const Context> context, size_t weight) {
    Seed seed = randomSeed();
    SecretKey key = generateSparse(std::move(context), weight, seed);
    explicit_bzero(seed.data(), seed.size());
    return key;
}

SecretKey SecretKey::generateSparse(std::shared_ptr<const Context> context, size_t weight, const Seed& seed) {
    SecretKey key(std::move(context));
    sampleSparseTernary(key.coefficients(), key.context_->ringDegree(), weight, seed, 0);
    key.transform();
    return key;
}

SecretKey SecretKey::fromTernary(std::shared_ptr<const Context> context, const int8_t* values) {
    SecretKey key(std::move(context));
    for (size_t i = 0; i < key.context_->ringDegree(); ++i) {
        if (values[i] < -1 || values[i] > 1) {
            throw FormatError("secret key: coefficient " + std::to_string(i) + " is not -1, 0 or 1");
        }
        key.coefficients()[i] = values[i];
    }
    key.transform();
    return key;
}

SecretKey SecretKey::inContext(std::shared_ptr<const Context> other) const {
    if (!other || other->logN() != context_->logN()) {
        throw ParameterMismatchError("secret key: the other context must have logN = " + std::to_string(context_->logN()));
    }
    return fromTernary(std::move(other), ternary());
}

}  // namespace heml
