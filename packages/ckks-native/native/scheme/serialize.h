// Raw segments: what the container files hold between their headers.
//
// A segment is an optional 32-byte seed and then limbs, each of them count words packed to 6 bytes (48 bits, little
// endian), in evaluation order; order of limbs per kind:
//   ciphertext   c0 limb by limb, c1, c2; seeded: seed, c0         plaintext    its limbs as stored (periodic ones once)
//   switching key  [target][digit][b, a]; seeded: seed, [target][digit] b      public key   b, a; seeded: seed, b
// Sizes follow from (context, level, degree, seeded) alone and are checked before anything is allocated. An import rejects
// every residue >= p (FormatError naming polynomial, limb and index), wrong lengths and transparent ciphertexts.
// Whole objects go through exportX / importX; streams use Segment, which reads and writes any range of limbs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ciphertext.h"
#include "runtime/executor.h"
#include "key-switch-key.h"
#include "plaintext.h"
#include "public-key.h"

namespace heml {

constexpr size_t SEED_BYTES = 32;
constexpr size_t WORD_BYTES = 6;

// The limbs of one object in file order; valid while the object lives and does not move.
class Segment {
public:
    Segment(Ciphertext& ciphertext, bool seeded);
    Segment(Plaintext& plaintext);
    Segment(KeySwitchKey& key, bool seeded);
    Segment(PublicKey& key, bool seeded);

    size_t limbs() const { return limbs_.size(); }
    size_t limbBytes(size_t i) const { return limbs_[i].count * WORD_BYTES; }
    size_t offset(size_t i) const;                     // of limb i in the segment; offset(limbs()) is the size
    size_t bytes() const { return offset(limbs()); }
    bool seeded() const { return seeded_; }

    // Limbs [first, first + count) from or to offset(first) .. offset(first + count). `size` must be exactly that.
    void write(uint8_t* out, size_t size, size_t first, size_t count, Executor& executor) const;
    void read(const uint8_t* in, size_t size, size_t first, size_t count, Executor& executor);

private:
    struct StoredLimb {
        uint64_t* words;                               // nullptr: of a packed key
        size_t count;
        const kernel::Modulus* modulus;
        unsigned poly;
        unsigned limb;
    };
    void writeLimb(uint8_t* out, const StoredLimb& limb) const;
    void readLimb(const uint8_t* in, const StoredLimb& limb) const;
    size_t checkRange(size_t size, size_t first, size_t count) const;

    const Context* context_;
    std::string what_;
    bool seeded_ = false;
    KeySwitchKey* packedKey_ = nullptr;
    std::vector<StoredLimb> limbs_;
};

// Throws FormatError unless there are exactly as many bytes as wanted.
void requireBytes(const char* what, size_t size, size_t wanted);

// `count` words, 64-byte aligned, to WORD_BYTES each at any address.
void writePacked(uint8_t* out, const uint64_t* words, size_t count, const kernel::Kernels& kernels);

size_t ciphertextBytes(const Context& context, unsigned level, unsigned degree, bool seeded);
size_t plaintextBytes(const Context& context, unsigned level, bool extended, unsigned logRepeat);
size_t keySwitchKeyBytes(const Context& context, unsigned level, bool seeded);
size_t publicKeyBytes(const Context& context, unsigned level, bool seeded);

// `size` must be the exact number of bytes. A seed (of c1) makes the ciphertext's segment seeded.
void exportCiphertext(uint8_t* out, size_t size, const Ciphertext& ciphertext, const Seed* seed, Executor& executor);
void exportPlaintext(uint8_t* out, size_t size, const Plaintext& plaintext, Executor& executor);
void exportKeySwitchKey(uint8_t* out, size_t size, const KeySwitchKey& key, bool seeded, Executor& executor);
void exportPublicKey(uint8_t* out, size_t size, const PublicKey& key, bool seeded, Executor& executor);

struct CiphertextShape {
    unsigned level = 0;
    unsigned degree = 1;
    bool seeded = false;                               // degree 1 only
    bool allowTransparent = false;
};
struct PlaintextShape {
    unsigned level = 0;
    bool extended = false;
    unsigned logRepeat = 0;
};
struct KeyShape {
    unsigned level = 0;
    uint32_t galoisElement = KeySwitchKey::RELINEARIZATION;
    bool seeded = true;
    bool packed = false;                               // in memory
    Expansion expansion = Expansion::TurboShake128;    // of the seed
};

using ContextPointer = std::shared_ptr<const Context>;
Ciphertext importCiphertext(ContextPointer context, const CiphertextShape& shape, const uint8_t* in, size_t size,
                            Executor& executor);
Plaintext importPlaintext(ContextPointer context, const PlaintextShape& shape, const uint8_t* in, size_t size,
                          Executor& executor);
KeySwitchKey importKeySwitchKey(ContextPointer context, const KeyShape& shape, const uint8_t* in, size_t size,
                                Executor& executor);
PublicKey importPublicKey(ContextPointer context, unsigned level, bool seeded, const uint8_t* in, size_t size,
                          Executor& executor);

}  // namespace heml
