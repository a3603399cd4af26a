#include "serialize.h"

#include <cstring>

#include "expand-seed.h"

namespace heml {

namespace {

size_t segmentBytes(size_t limbs, size_t words, bool seeded) { return limbs * words * WORD_BYTES + (seeded ? SEED_BYTES : 0); }

void exportSegment(uint8_t* out, const Segment& segment, const Seed* seed, Executor& executor) {
    if (segment.seeded() && seed != nullptr) std::memcpy(out, seed->data(), SEED_BYTES);
    const size_t start = segment.offset(0);
    segment.write(out + start, segment.bytes() - start, 0, segment.limbs(), executor);
}

void importSegment(const uint8_t* in, Segment segment, Seed* seed, Executor& executor) {
    if (segment.seeded() && seed != nullptr) std::memcpy(seed->data(), in, SEED_BYTES);
    const size_t start = segment.offset(0);
    segment.read(in + start, segment.bytes() - start, 0, segment.limbs(), executor);
}

void checkContext(const ContextPointer& context) {
    if (!context) throw InvalidArgumentError("import: no context");
}

}  // namespace

void requireBytes(const char* what, size_t size, size_t wanted) {
    if (size != wanted) {
        throw FormatError(std::string(what) + ": wanted exactly " + std::to_string(wanted) + " bytes, got " +
                          std::to_string(size));
    }
}

size_t ciphertextBytes(const Context& context, unsigned level, unsigned degree, bool seeded) {
    if (degree > Ciphertext::MAX_DEGREE || (seeded && degree != 1)) {
        throw DegreeError("a stored ciphertext has degree 0 to 2, a seeded one degree 1, got " + std::to_string(degree));
    }
    return segmentBytes(context.limbsAt(level) * (seeded ? 1 : degree + 1), context.ringDegree(), seeded);
}

size_t plaintextBytes(const Context& context, unsigned level, bool extended, unsigned logRepeat) {
    if (logRepeat >= context.logN()) throw FormatError("plaintext: logRepeat must be below logN");
    const size_t limbs = context.limbsAt(level) + (extended ? context.specialLimbs() : 0);
    return segmentBytes(limbs, context.ringDegree() >> logRepeat, false);
}

size_t keySwitchKeyBytes(const Context& context, unsigned level, bool seeded) {
    const size_t targets = context.limbsAt(level) + context.specialLimbs();
    return segmentBytes(targets * context.digitsAt(level) * (seeded ? 1 : 2), context.ringDegree(), seeded);
}

size_t publicKeyBytes(const Context& context, unsigned level, bool seeded) {
    return segmentBytes(context.limbsAt(level) * (seeded ? 1 : 2), context.ringDegree(), seeded);
}

// A segment only reads what it is asked to write; the casts below never lead to a change.
void exportCiphertext(uint8_t* out, size_t size, const Ciphertext& ciphertext, const Seed* seed, Executor& executor) {
    const Segment segment(const_cast<Ciphertext&>(ciphertext), seed != nullptr);
    requireBytes("ciphertext", size, segment.bytes());
    exportSegment(out, segment, seed, executor);
}

void exportPlaintext(uint8_t* out, size_t size, const Plaintext& plaintext, Executor& executor) {
    const Segment segment(const_cast<Plaintext&>(plaintext));
    requireBytes("plaintext", size, segment.bytes());
    exportSegment(out, segment, nullptr, executor);
}

void exportKeySwitchKey(uint8_t* out, size_t size, const KeySwitchKey& key, bool seeded, Executor& executor) {
    const Segment segment(const_cast<KeySwitchKey&>(key), seeded);
    requireBytes("switching key", size, segment.bytes());
    exportSegment(out, segment, &key.seed, executor);
}

void exportPublicKey(uint8_t* out, size_t size, const PublicKey& key, bool seeded, Executor& executor) {
    const Segment segment(const_cast<PublicKey&>(key), seeded);
    requireBytes("public key", size, segment.bytes());
    exportSegment(out, segment, &key.seed, executor);
}

Ciphertext importCiphertext(ContextPointer context, const CiphertextShape& shape, const uint8_t* in, size_t size,
                            Executor& executor) {
    checkContext(context);
    requireBytes("ciphertext", size, ciphertextBytes(*context, shape.level, shape.degree, shape.seeded));
    Ciphertext ciphertext(context, shape.level, shape.degree);
    Seed seed;
    importSegment(in, Segment(ciphertext, shape.seeded), &seed, executor);
    if (shape.seeded) expandC1(ciphertext, seed, executor);
    if (!shape.allowTransparent && ciphertext.transparent()) {
        throw FormatError("ciphertext: c1 is zero, so it is readable without a key; refused");
    }
    return ciphertext;
}

Plaintext importPlaintext(ContextPointer context, const PlaintextShape& shape, const uint8_t* in, size_t size,
                          Executor& executor) {
    checkContext(context);
    requireBytes("plaintext", size, plaintextBytes(*context, shape.level, shape.extended, shape.logRepeat));
    Plaintext plaintext(context, shape.level, shape.extended, shape.logRepeat);
    importSegment(in, Segment(plaintext), nullptr, executor);
    return plaintext;
}

KeySwitchKey importKeySwitchKey(ContextPointer context, const KeyShape& shape, const uint8_t* in, size_t size,
                                Executor& executor) {
    checkContext(context);
    requireBytes("switching key", size, keySwitchKeyBytes(*context, shape.level, shape.seeded));
    KeySwitchKey key(context, shape.level, shape.galoisElement, shape.packed);
    key.expansion = shape.expansion;
    importSegment(in, Segment(key, shape.seeded), &key.seed, executor);
    if (shape.seeded) expandA(key, executor);
    return key;
}

PublicKey importPublicKey(ContextPointer context, unsigned level, bool seeded, const uint8_t* in, size_t size,
                          Executor& executor) {
    checkContext(context);
    requireBytes("public key", size, publicKeyBytes(*context, level, seeded));
    PublicKey key(context, level);
    importSegment(in, Segment(key, seeded), &key.seed, executor);
    if (seeded) expandA(key, executor);
    return key;
}

}  // namespace heml
