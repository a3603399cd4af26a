#include "serialize.h"

#include <algorithm>
#include <cstring>

namespace heml {

namespace {

// Unaligned input is unpacked through an aligned block of this many words.
constexpr size_t BLOCK = 512;

// Polynomials of a key are numbered 2 digit + half.
KeySwitchKey::Half halfOf(unsigned poly) { return static_cast<KeySwitchKey::Half>(poly % 2); }

}  // namespace

void writePacked(uint8_t* out, const uint64_t* words, size_t count, const kernel::Kernels& kernels) {
    alignas(64) uint8_t packed[BLOCK * WORD_BYTES];
    for (size_t at = 0; at < count; at += BLOCK) {
        const size_t block = std::min(BLOCK, count - at);
        if (block % kernel::LINE_WORDS == 0) {
            kernels.pack48(packed, words + at, block);
        } else {
            for (size_t k = 0; k < block; ++k) std::memcpy(packed + WORD_BYTES * k, words + at + k, WORD_BYTES);
        }
        std::memcpy(out + at * WORD_BYTES, packed, block * WORD_BYTES);
    }
}

Segment::Segment(Ciphertext& ciphertext, bool seeded)
    : context_(ciphertext.context().get()), what_("ciphertext"), seeded_(seeded) {
    if (seeded && ciphertext.degree() != 1) throw DegreeError("only a ciphertext of degree 1 can be stored with a seed");
    const size_t n = context_->ringDegree();
    for (unsigned poly = 0; poly <= (seeded ? 0 : ciphertext.degree()); ++poly) {
        for (size_t i = 0; i < ciphertext.limbs(); ++i) {
            limbs_.push_back({ciphertext.limb(poly, i), n, &context_->modulus(i), poly, static_cast<unsigned>(i)});
        }
    }
}

Segment::Segment(Plaintext& plaintext) : context_(plaintext.context().get()), what_("plaintext") {
    for (size_t i = 0; i < plaintext.limbs(); ++i) {
        limbs_.push_back({plaintext.limb(i), plaintext.wordsPerLimb(), &context_->modulus(plaintext.modulusIndex(i)), 0,
                          static_cast<unsigned>(i)});
    }
}

Segment::Segment(KeySwitchKey& key, bool seeded)
    : context_(key.context().get()), what_("switching key"), seeded_(seeded), packedKey_(key.packed() ? &key : nullptr) {
    for (size_t target = 0; target < key.targets(); ++target) {
        const kernel::Modulus* modulus = &context_->modulus(key.modulusIndex(target));
        for (size_t digit = 0; digit < key.digits(); ++digit) {
            for (unsigned half = 0; half < (seeded ? 1u : 2u); ++half) {
                const auto which = static_cast<KeySwitchKey::Half>(half);
                limbs_.push_back({key.packed() ? nullptr : key.limb(target, digit, which), context_->ringDegree(), modulus,
                                  static_cast<unsigned>(2 * digit + half), static_cast<unsigned>(target)});
            }
        }
    }
}

Segment::Segment(PublicKey& key, bool seeded) : context_(key.context().get()), what_("public key"), seeded_(seeded) {
    for (unsigned half = 0; half < (seeded ? 1u : 2u); ++half) {
        Poly& poly = half == 0 ? key.b() : key.a();
        for (size_t i = 0; i < key.limbs(); ++i) {
            limbs_.push_back({poly.limb(i), context_->ringDegree(), &context_->modulus(i), half, static_cast<unsigned>(i)});
        }
    }
}

size_t Segment::offset(size_t i) const {
    // All limbs of one object have the same length.
    return (seeded_ ? SEED_BYTES : 0) + (limbs_.empty() ? 0 : i * limbBytes(0));
}

size_t Segment::checkRange(size_t size, size_t first, size_t count) const {
    if (first > limbs() || count > limbs() - first) {
        throw InvalidArgumentError(what_ + ": limbs " + std::to_string(first) + " to " + std::to_string(first + count) + " of " +
                                   std::to_string(limbs()));
    }
    const size_t wanted = offset(first + count) - offset(first);
    if (size != wanted) {
        throw FormatError(what_ + ": wanted exactly " + std::to_string(wanted) + " bytes for " + std::to_string(count) +
                          " limbs, got " + std::to_string(size));
    }
    return wanted;
}

void Segment::write(uint8_t* out, size_t size, size_t first, size_t count, Executor& executor) const {
    checkRange(size, first, count);
    executor.parallelFor(count, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) writeLimb(out + (offset(first + i) - offset(first)), limbs_[first + i]);
    });
}

void Segment::writeLimb(uint8_t* out, const StoredLimb& limb) const {
    const auto& kernels = context_->kernels();
    if (limb.words != nullptr) return writePacked(out, limb.words, limb.count, kernels);
    alignas(64) uint64_t words[BLOCK];
    for (size_t at = 0; at < limb.count; at += BLOCK) {
        const size_t count = std::min(BLOCK, limb.count - at);
        packedKey_->takeResidues(words, limb.limb, limb.poly / 2, halfOf(limb.poly), at, count);
        writePacked(out + at * WORD_BYTES, words, count, kernels);
    }
}

void Segment::readLimb(const uint8_t* in, const StoredLimb& limb) const {
    const auto& kernels = context_->kernels();
    // else block by block, which also finds the residue that is not below its prime
    if (packedKey_ != nullptr && packedKey_->putPacked48(limb.limb, limb.poly / 2, halfOf(limb.poly), in)) return;
    alignas(64) uint8_t packed[BLOCK * WORD_BYTES];
    alignas(64) uint64_t checked[BLOCK];
    for (size_t at = 0; at < limb.count; at += BLOCK) {
        const size_t words = std::min(BLOCK, limb.count - at);
        uint64_t* out = limb.words == nullptr ? checked : limb.words + at;
        std::memcpy(packed, in + at * WORD_BYTES, words * WORD_BYTES);
        if (words % kernel::LINE_WORDS == 0) {
            kernels.unpack48(out, packed, words);
        } else {
            for (size_t k = 0; k < words; ++k) {
                out[k] = 0;
                std::memcpy(out + k, packed + WORD_BYTES * k, WORD_BYTES);
            }
        }
        bool inRange = true;
        for (size_t k = 0; k < words; ++k) inRange = inRange & (out[k] < limb.modulus->value);
        if (inRange) {
            if (limb.words == nullptr) packedKey_->putResidues(limb.limb, limb.poly / 2, halfOf(limb.poly), at, words, out);
            continue;
        }
        size_t k = 0;
        while (out[k] < limb.modulus->value) ++k;
        throw FormatError(what_ + ": polynomial " + std::to_string(limb.poly) + ", limb " + std::to_string(limb.limb) +
                          ", index " + std::to_string(at + k) + ": residue " + std::to_string(out[k]) +
                          " is not below its prime " + std::to_string(limb.modulus->value));
    }
}

void Segment::read(const uint8_t* in, size_t size, size_t first, size_t count, Executor& executor) {
    checkRange(size, first, count);
    executor.parallelFor(count, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) readLimb(in + (offset(first + i) - offset(first)), limbs_[first + i]);
    });
}

}  // namespace heml
