#include "secret-key-segment.h"

#include <cmath>
#include <string>

namespace heml {

size_t secretKeyBytes(const Context& context) { return context.ringDegree() / 4; }

void exportSecretKey(uint8_t* out, size_t size, const SecretKey& key) {
    requireBytes("secret key", size, secretKeyBytes(*key.context()));
    const int8_t* values = key.ternary();
    for (size_t i = 0; i < size; ++i) {
        unsigned byte = 0;
        for (size_t k = 0; k < 4; ++k) byte |= (static_cast<unsigned>(values[4 * i + k] + 3) % 3) << (2 * k);
        out[i] = static_cast<uint8_t>(byte);
    }
}

namespace {

// A uniform ternary secret has 2N/3 coefficients that are not 0, give or take sigma = sqrt(2N/9); one of 2^50 misses by more
// than 8 sigma. Anything else is a sparse or a made-up secret, for which the limits of the moduli do not hold.
void checkWeight(const int8_t* values, size_t n) {
    size_t weight = 0;
    for (size_t i = 0; i < n; ++i) weight += values[i] != 0;
    const double wanted = 2.0 * static_cast<double>(n) / 3, most = 8 * std::sqrt(2.0 * static_cast<double>(n) / 9);
    if (std::abs(static_cast<double>(weight) - wanted) > most) {
        throw FormatError("secret key: expected " + std::to_string(std::lround(wanted)) +
                          " coefficients that are not 0, within " + std::to_string(std::lround(most)) + ", got " +
                          std::to_string(weight) +
                          ": no uniform ternary secret, so not as secure as its parameters; make a new key");
    }
}

}  // namespace

SecretKey importSecretKey(ContextPointer context, const uint8_t* in, size_t size) {
    if (!context) throw InvalidArgumentError("import: no context");
    requireBytes("secret key", size, secretKeyBytes(*context));
    Buffer buffer = context->pool().allocate(context->ringDegree(), MemoryKind::Scratch, true);
    int8_t* values = reinterpret_cast<int8_t*>(buffer.data());
    for (size_t i = 0; i < context->ringDegree(); ++i) {
        const unsigned pair = in[i / 4] >> (2 * (i % 4)) & 3;
        if (pair == 3) throw FormatError("secret key: coefficient " + std::to_string(i) + " is not -1, 0 or 1");
        values[i] = static_cast<int8_t>(static_cast<int>(pair & 1) - static_cast<int>(pair >> 1));
    }
    checkWeight(values, context->ringDegree());
    return SecretKey::fromTernary(std::move(context), values);
}

}  // namespace heml
