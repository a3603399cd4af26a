// Parameters made usable: the chain of moduli with everything derived from it, immutable and shared by all threads.
//
// Moduli are numbered: q limbs in order (the base level's first), then the special limbs. Level l owns the first
// limbsAt(l) q limbs; a level adds one prime, or two where a scale needs more than 48 bits. Key switching cuts the q
// limbs into digits of digitLimbs consecutive ones; at a lower level the last digit may be partial. Constants for a
// (digit, size) or (special -> q) conversion do not depend on the level otherwise: made on first use, kept for ever.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/errors.h"
#include "kernel/kernels.h"
#include "runtime/memory-pool.h"

namespace heml {

struct ParametersSpec {
    unsigned logN = 0;                               // 10 .. 17
    std::vector<std::vector<uint64_t>> levels;       // primes of each level, index 0 = the base; 1 or 2 each, < 2^48
    std::vector<uint64_t> special;                   // primes of P
    unsigned digitLimbs = 0;                         // alpha: q limbs per key-switching digit
};

class Context {
public:
    static constexpr uint32_t GALOIS_GENERATOR = 5;

    // Checks the specification; throws InvalidArgumentError.
    // kernels: nullptr for the fastest this processor runs (or what HE_ML_KERNEL names).
    static std::shared_ptr<const Context> create(ParametersSpec spec, std::shared_ptr<MemoryPool> pool = MemoryPool::shared(),
                                                 const kernel::Kernels* kernels = nullptr);

    // Another chain of moduli with the same memory pool and kernels, and the same tables where the primes are the same.
    std::shared_ptr<const Context> sibling(ParametersSpec spec) const;

    const ParametersSpec& spec() const { return spec_; }
    unsigned logN() const { return spec_.logN; }
    size_t ringDegree() const { return size_t{1} << spec_.logN; }
    size_t slots() const { return ringDegree() / 2; }
    unsigned maxLevel() const { return static_cast<unsigned>(spec_.levels.size() - 1); }
    MemoryPool& pool() const { return *pool_; }
    const kernel::Kernels& kernels() const { return *kernels_; }

    size_t limbsAt(unsigned level) const;            // q limbs of a level; throws LevelError above maxLevel
    size_t qLimbs() const { return limbsAt_.back(); }
    size_t specialLimbs() const { return spec_.special.size(); }
    size_t moduli() const { return moduli_.size(); }
    const kernel::Modulus& modulus(size_t i) const { return moduli_[i]; }
    const kernel::NttTables& tables(size_t i) const { return *tables_[i]; }

    size_t digitLimbs() const { return spec_.digitLimbs; }
    size_t digitsFor(size_t qLimbs) const { return (qLimbs + spec_.digitLimbs - 1) / spec_.digitLimbs; }
    size_t digitsAt(unsigned level) const { return digitsFor(limbsAt(level)); }

    uint64_t specialProduct(size_t i) const { return specialProduct_[i]; }   // P mod q_i
    uint64_t specialInverse(size_t i) const { return specialInverse_[i]; }   // P^-1 mod q_i

    // zeta^(N/2) mod q_i: the value of X^(N/2) in the first half of a limb, where it stands for i.
    uint64_t imaginaryUnit(size_t i) const { return imaginaryUnit_[i]; }

    // The Galois element of a rotation left by steps (any sign) or of conjugation.
    uint32_t galoisElement(int64_t steps) const;
    uint32_t conjugation() const { return static_cast<uint32_t>(2 * ringDegree() - 1); }

    // X -> X^element in evaluation order; made on first use. Throws InvalidArgumentError unless odd and below 2N.
    const kernel::AutomorphismTable& automorphism(uint32_t element) const;

    // From the q limbs [begin, begin + size) to every other modulus; targets in the order of the moduli.
    const kernel::BaseConverter& modUp(size_t begin, size_t size) const;
    // Which target of modUp(begin, size) a modulus outside the digit is.
    static uint32_t modUpTarget(size_t begin, size_t size, size_t modulus) {
        return static_cast<uint32_t>(modulus < begin ? modulus : modulus - size);
    }
    // From the special limbs to the q limbs, in order, times -P^-1: what modDown adds.
    const kernel::BaseConverter& modDown() const { return *modDown_; }
    // From the one or two primes of a level to the q limbs below; and times -1: what rescaling adds before it divides.
    const kernel::BaseConverter& rescaleConverter(unsigned level) const;
    const kernel::BaseConverter& negatedRescaleConverter(unsigned level) const;

    // Same specification (not necessarily the same object): operands may be mixed.
    bool sameAs(const Context& other) const;

private:
    using Range = std::pair<size_t, size_t>;   // first modulus, how many
    enum class Times { one, minusOne, minusInverse };   // the inverse of the sources' product
    // sources; how many targets.
    using ConverterKey = std::tuple<Range, size_t, Times>;

    Context(ParametersSpec spec, std::shared_ptr<MemoryPool> pool, const kernel::Kernels& kernels, const Context* relative);
    std::shared_ptr<const kernel::NttTables> tablesOf(const kernel::Modulus& modulus, unsigned logN) const;  // nullptr: none
    const kernel::BaseConverter& converter(const ConverterKey& key) const;
    kernel::BaseConverter makeConverter(const ConverterKey& key) const;
    Range primesOf(unsigned level) const { return {limbsAt(level - 1), limbsAt(level) - limbsAt(level - 1)}; }

    ParametersSpec spec_;
    std::shared_ptr<MemoryPool> pool_;
    const kernel::Kernels* kernels_ = nullptr;
    std::vector<size_t> limbsAt_;
    std::vector<kernel::Modulus> moduli_;
    std::vector<std::shared_ptr<const kernel::NttTables>> tables_;
    std::vector<uint64_t> specialProduct_, specialInverse_, imaginaryUnit_;
    const kernel::BaseConverter* modDown_ = nullptr;

    mutable std::mutex mutex_;                 // guards the two maps; entries never change or move
    mutable std::map<ConverterKey, std::unique_ptr<kernel::BaseConverter>> converters_;
    mutable std::map<uint32_t, std::unique_ptr<kernel::AutomorphismTable>> automorphisms_;
};

}  // namespace heml
