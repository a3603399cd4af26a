#include "hoisted-steps.h"

#include <algorithm>
#include <cstring>

namespace heml {

namespace {

// Words of deferred plaintexts: 32 MB, 64 limbs at N = 2^16 and more where they repeat. Fewer would have every giant step's sums read and
// written more often; more only where a baby step alone has more giant steps.
constexpr size_t MADE_AT_A_TIME = size_t{1} << 22;

// A cache line between limbs made: hundreds are read side by side, and limbs a power of two apart would share a few lines of the caches.
constexpr size_t SKEW_WORDS = kernel::LINE_WORDS;

// The kernel's description of all steps modulo one prime. Owns the lists its job points to.
class Steps {
public:
    // babies [begin, end).
    Steps(const Context& context, const std::vector<Baby>& babies, size_t begin, size_t end, size_t digitCount, size_t modulus) {
        const bool special = modulus >= context.qLimbs();
        keys_.reserve(2 * (end - begin) * digitCount);
        reserveMade(context, babies, begin, end);
        for (size_t b = begin; b < end; ++b) {
            const Baby& baby = babies[b];
            if (special && !baby.key) continue;  // a multiple of P
            plaintexts_.emplace_back();
            for (const Plaintext* plaintext : baby.plaintexts) {
                plaintexts_.back().push_back(limbOf(context, plaintext, modulus));
            }
            kernel::HoistedStep step{nullptr, nullptr, nullptr, plaintexts_.back().data()};
            if (baby.key) {
                const KeySwitchKey& key = *baby.key;
                const size_t at = special ? key.qLimbs() + modulus - context.qLimbs() : modulus;
                step.keys0 = pushKeys(key, at, digitCount, KeySwitchKey::B);
                step.keys1 = pushKeys(key, at, digitCount, KeySwitchKey::A);
                if (key.galoisElement() != 1) step.automorphism = &context.automorphism(key.galoisElement());
            }
            steps_.push_back(step);
        }
    }

    const std::vector<kernel::HoistedStep>& list() const { return steps_; }

private:
    kernel::RepeatedLimb limbOf(const Context& context, const Plaintext* plaintext, size_t modulus) {
        if (!plaintext) return {nullptr, 0};
        const size_t at = modulus < context.qLimbs() ? modulus : plaintext->qLimbs() + modulus - context.qLimbs();
        if (!plaintext->deferred()) return plaintext->repeatedLimb(at);
        uint64_t* limb = made_.data() + madeWords_;
        madeWords_ += plaintext->wordsPerLimb() + SKEW_WORDS;
        plaintext->copyLimb(limb, at);
        return {limb, static_cast<int>(plaintext->logRepeat())};
    }

    void reserveMade(const Context& context, const std::vector<Baby>& babies, size_t begin, size_t end) {
        size_t words = 0;
        for (size_t b = begin; b < end; ++b) {
            for (const Plaintext* plaintext : babies[b].plaintexts) {
                if (plaintext && plaintext->deferred()) words += plaintext->wordsPerLimb() + SKEW_WORDS;
            }
        }
        if (words > 0) made_ = context.pool().allocate(words * sizeof(uint64_t), MemoryKind::Scratch);
    }

    const kernel::KeyLimb* pushKeys(const KeySwitchKey& key, size_t at, size_t digitCount, KeySwitchKey::Half half) {
        const size_t start = keys_.size();
        for (size_t d = 0; d < digitCount; ++d) keys_.push_back(key.keyLimb(at, d, half));
        return keys_.data() + start;  // reserved above: never moves
    }

    Buffer made_;  // limbs of deferred plaintexts
    size_t madeWords_ = 0;
    std::vector<kernel::KeyLimb> keys_;
    std::vector<std::vector<kernel::RepeatedLimb>> plaintexts_;  // moving the outer vector keeps the inner data
    std::vector<kernel::HoistedStep> steps_;
};

// Baby steps from `begin` on whose deferred plaintexts are made at a time; all, where none is.
size_t endOfRun(const std::vector<Baby>& babies, size_t begin) {
    size_t made = 0, end = begin;
    for (; end < babies.size(); ++end) {
        for (const Plaintext* plaintext : babies[end].plaintexts) {
            if (plaintext && plaintext->deferred()) made += plaintext->wordsPerLimb();
        }
        if (made > MADE_AT_A_TIME && end > begin) break;
    }
    return end;
}

kernel::Packing packingOf(const std::vector<Baby>& babies, const kernel::Modulus& modulus) {
    const auto packed = [](const Baby& b) { return b.key && b.key->packed(); };
    return std::any_of(babies.begin(), babies.end(), packed) ? keyPacking(modulus) : kernel::Packing::words;
}

}  // namespace

std::vector<Baby> collectBabies(const std::vector<GiantStep>& giants) {
    std::vector<Baby> babies;
    for (size_t g = 0; g < giants.size(); ++g) {
        for (const BabyTerm& term : giants[g].terms) {
            // A baby that occurs twice in one giant step gets a second entry.
            auto same = [&](const Baby& baby) { return baby.key == term.key && !baby.plaintexts[g]; };
            auto found = std::find_if(babies.begin(), babies.end(), same);
            if (found == babies.end()) {
                babies.push_back({term.key, std::vector<const Plaintext*>(giants.size())});
                found = babies.end() - 1;
            }
            found->plaintexts[g] = term.plaintext;
        }
    }
    return babies;
}

void hoistedProducts(const Context& context, const std::vector<Baby>& babies, const std::vector<kernel::HoistedInput>& inputs,
                     size_t digitCount, size_t modulus) {
    const size_t n = context.ringDegree(), sums = babies[0].plaintexts.size();
    const kernel::Packing packing = packingOf(babies, context.modulus(modulus));
    bool accumulate = false;
    for (size_t begin = 0; begin < babies.size();) {
        const size_t end = endOfRun(babies, begin);
        const Steps steps(context, babies, begin, end, digitCount, modulus);
        begin = end;
        if (steps.list().empty()) continue;
        context.kernels().hoistedProduct(
            {inputs.data(), inputs.size(), digitCount, steps.list().data(), steps.list().size(), sums, packing, accumulate, 0, n},
            context.modulus(modulus));
        accumulate = true;
    }
    if (accumulate) return;
    for (const kernel::HoistedInput& input : inputs) {
        for (size_t g = 0; g < sums; ++g) {
            std::memset(input.out0[g], 0, n * sizeof(uint64_t));
            std::memset(input.out1[g], 0, n * sizeof(uint64_t));
        }
    }
}

}  // namespace heml
