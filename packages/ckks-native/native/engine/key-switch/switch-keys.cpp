#include "key-switch/switch-keys.h"

#include "key-switch/mod-down.h"

namespace heml {

namespace {

// Targets converted together: reading the digit's coefficients once for two targets halves that traffic, and two
// targets' digits still fit the cache.
constexpr size_t GROUP = 2;

class Switch {
public:
    Switch(const Context& context, unsigned level, const std::vector<SwitchInput>& inputs,
           const std::vector<SwitchResult>& results)
        : context_(context), limbs_(context.limbsAt(level)), inputs_(inputs), results_(results) {
        for (size_t i = 0; i < 2 * results.size(); ++i) {
            special_.emplace_back(context.pool(), context.specialLimbs(), context.ringDegree(), MemoryKind::Scratch);
        }
    }

    void run(Executor& executor) {
        overGroups(context_.qLimbs(), context_.specialLimbs(), &Switch::specialTargets, executor);
        overGroups(0, limbs_, &Switch::qTargets, executor);
    }

private:
    using Work = void (Switch::*)(ModUp&, const size_t* moduli, size_t count);

    void overGroups(size_t first, size_t count, Work work, Executor& executor) {
        executor.parallelFor((count + GROUP - 1) / GROUP, [&](size_t begin, size_t end) {
            ModUp modUp(context_, limbs_, GROUP);
            for (size_t group = begin; group < end; ++group) {
                size_t moduli[GROUP];
                const size_t size = std::min(GROUP, count - group * GROUP);
                for (size_t t = 0; t < size; ++t) moduli[t] = first + group * GROUP + t;
                (this->*work)(modUp, moduli, size);
            }
        });
    }

    void specialTargets(ModUp& modUp, const size_t* moduli, size_t count) {
        multiplyTargets(modUp, moduli, count);
        for (size_t t = 0; t < count; ++t) {
            const size_t j = moduli[t] - context_.qLimbs();
            for (Poly& special : special_) specialToCoefficients(context_, j, special.limb(j), special.limb(j));
        }
    }

    void qTargets(ModUp& modUp, const size_t* moduli, size_t count) {
        multiplyTargets(modUp, moduli, count);
        Poly scratch(context_.pool(), count, context_.ringDegree(), MemoryKind::Scratch);
        uint64_t* targets[GROUP];
        for (size_t r = 0; r < results_.size(); ++r) {
            for (unsigned half = 0; half < 2; ++half) {
                for (size_t t = 0; t < count; ++t) targets[t] = target(r, half, moduli[t]);
                modDownLimbs(context_, special_[2 * r + half], moduli, count, targets, scratch);
            }
        }
    }

    // Everything modulo these moduli but the division: addends and inner products of all results.
    void multiplyTargets(ModUp& modUp, const size_t* moduli, size_t count) {
        for (size_t t = 0; t < count; ++t) {
            for (size_t r = 0; r < results_.size(); ++r) addAddends(r, moduli[t]);
        }
        for (size_t input = 0; input < inputs_.size(); ++input) {
            modUp.run(*inputs_[input].evaluation, *inputs_[input].coefficients, moduli, count);
            for (size_t t = 0; t < count; ++t) {
                for (size_t r = 0; r < results_.size(); ++r) {
                    for (const SwitchTerm& term : results_[r].terms) {
                        if (term.input == input) multiply(r, term, modUp.digits(t), modUp.digitCount(), moduli[t]);
                    }
                }
            }
        }
    }

    // Starts both halves of a result modulo one prime: its addends, or zero.
    void addAddends(size_t r, size_t modulus) {
        const size_t n = context_.ringDegree();
        bool started[2] = {false, false};
        Poly permuted;
        for (const SwitchAddend& addend : results_[r].addends) {
            const bool isSpecial = modulus >= context_.qLimbs();
            if (isSpecial && addend.specialAt == SwitchAddend::NO_SPECIAL) continue;
            const uint64_t* src = addend.poly->limb(isSpecial ? addend.specialAt + modulus - context_.qLimbs() : modulus);
            uint64_t* dst = target(r, addend.half, modulus);
            if (!started[addend.half]) {
                if (addend.automorphism) context_.kernels().permute(dst, src, *addend.automorphism, 0, n);
                else std::memcpy(dst, src, n * sizeof(uint64_t));
            } else {
                if (addend.automorphism) {
                    if (!permuted) permuted = Poly(context_.pool(), 1, n, MemoryKind::Scratch);
                    context_.kernels().permute(permuted.limb(0), src, *addend.automorphism, 0, n);
                    src = permuted.limb(0);
                }
                context_.kernels().add(dst, dst, src, n, context_.modulus(modulus));
            }
            started[addend.half] = true;
        }
        for (unsigned half = 0; half < 2; ++half) {
            if (!started[half]) std::memset(target(r, half, modulus), 0, n * sizeof(uint64_t));
        }
    }

    void multiply(size_t r, const SwitchTerm& term, const uint64_t* const* digits, size_t count, size_t modulus) {
        const KeySwitchKey& key = *term.key;
        const size_t at = modulus < context_.qLimbs() ? modulus : key.qLimbs() + modulus - context_.qLimbs();
        std::vector<kernel::KeyLimb> keys0(count), keys1(count);
        for (size_t d = 0; d < count; ++d) {
            keys0[d] = key.limb(at, d, KeySwitchKey::B);
            keys1[d] = key.limb(at, d, KeySwitchKey::A);
        }
        context_.kernels().innerProduct({target(r, 0, modulus), target(r, 1, modulus), digits, keys0.data(),
                                         keys1.data(), count, term.automorphism, false, true, 0,
                                         context_.ringDegree()}, context_.modulus(modulus));
    }

    uint64_t* target(size_t r, unsigned half, size_t modulus) {
        return modulus < context_.qLimbs() ? results_[r].out->limb(half, modulus)
                                           : special_[2 * r + half].limb(modulus - context_.qLimbs());
    }

    const Context& context_;
    const size_t limbs_;
    const std::vector<SwitchInput>& inputs_;
    const std::vector<SwitchResult>& results_;
    std::vector<Poly> special_;                          // two per result
};

}  // namespace

void switchKeys(const Context& context, unsigned level, const std::vector<SwitchInput>& inputs,
                const std::vector<SwitchResult>& results, Executor& executor) {
    Switch(context, level, inputs, results).run(executor);
}

}  // namespace heml
