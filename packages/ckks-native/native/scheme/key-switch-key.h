// Switches a product with s' to one with s at every level up to its own (hybrid key switching, Han and Ki, ePrint
// 2019/688). Per target limb t (q limbs of the level, then the special limbs) and digit d a pair (b, a) in evaluation
// order, stored in that order of use: [t][d][b, a][N], so that the inner product streams through it once.
// The division by P of the last step is folded in, which makes the q limbs
//     b = -a s + P^-1 e + [q_t in digit d] s'  (mod q_t)      and the special limbs   b = -a s + e  (mod p_t).
// a is uniform, from a seed. Each error e is one small polynomial per digit, reduced modulo every limb.
// pack() keeps 4 or 6 of each 8 bytes: many rotations at once run at the speed of memory, so fewer bytes is faster.
#pragma once

#include <array>
#include <memory>

#include "context.h"
#include "runtime/executor.h"
#include "packed-poly.h"
#include "poly.h"
#include "uniform-sampler.h"

namespace heml {

using Seed = std::array<uint8_t, 32>;

class KeySwitchKey {
public:
    enum Half : unsigned { B = 0, A = 1 };
    static constexpr uint32_t RELINEARIZATION = 0;   // in place of a Galois element: s' = s^2

    KeySwitchKey() = default;
    // galoisElement: s' = sigma(s) for this element; RELINEARIZATION for s' = s^2. The memory is uninitialised.
    KeySwitchKey(std::shared_ptr<const Context> context, unsigned level, uint32_t galoisElement, bool packed = false);

    const std::shared_ptr<const Context>& context() const { return context_; }
    unsigned level() const { return level_; }
    uint32_t galoisElement() const { return galoisElement_; }
    size_t digits() const { return digits_; }
    size_t qLimbs() const { return context_->limbsAt(level_); }
    size_t targets() const { return qLimbs() + context_->specialLimbs(); }
    size_t bytes() const { return packed() ? packed_.bytes() : poly_.bytes(); }
    // Index into Context's moduli of target t.
    size_t modulusIndex(size_t t) const { return t < qLimbs() ? t : context_->qLimbs() + (t - qLimbs()); }

    // N words, canonical. Of an unpacked key only, else InvalidArgumentError.
    uint64_t* limb(size_t target, size_t digit, Half half) { return unpacked().limb(index(target, digit, half)); }
    const uint64_t* limb(size_t target, size_t digit, Half half) const {
        return const_cast<KeySwitchKey*>(this)->limb(target, digit, half);
    }

    // Packed or not: N residues [at, at + n), n and at multiples of 8, to and from words.
    void putResidues(size_t target, size_t digit, Half half, size_t at, size_t n, const uint64_t* words);
    // All N of a limb from 6 bytes each, as files have them. False where that is not so simple: a limb with another packing, or
    // a residue that is not below its prime; the limb is not to be used then.
    bool putPacked48(size_t target, size_t digit, Half half, const uint8_t* bytes);
    void takeResidues(uint64_t* words, size_t target, size_t digit, Half half, size_t at, size_t n) const;

    // To as few bytes a residue as its prime allows (keyPacking) and back, in place; nothing if it is so already. Not while
    // an operation reads the key.
    void pack(Executor& executor);
    void unpack(Executor& executor);
    bool packed() const { return static_cast<bool>(packed_); }
    // What the kernels read, packed or not.
    kernel::KeyLimb keyLimb(size_t target, size_t digit, Half half) const {
        const size_t i = index(target, digit, half);
        return packed() ? static_cast<kernel::KeyLimb>(packed_.limb(i)) : poly_.limb(i);
    }
    // Of all limbs of a target.
    kernel::Packing packing(size_t target) const {
        return packed() ? keyPacking(context_->modulus(modulusIndex(target))) : kernel::Packing::words;
    }

    Seed seed{};  // what the a halves were expanded from
    Expansion expansion = Expansion::TurboShake128;  // and how

private:
    Poly& unpacked();
    PackedPoly packedMemory() const;
    size_t index(size_t target, size_t digit, Half half) const { return (target * digits_ + digit) * 2 + half; }

    std::shared_ptr<const Context> context_;
    unsigned level_ = 0;
    uint32_t galoisElement_ = 0;
    size_t digits_ = 0;
    Poly poly_;  // or
    PackedPoly packed_;
};

}  // namespace heml
