#include "switch-keys.h"

#include "mod-down.h"

namespace heml {

namespace {

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
        const size_t targets = targetCount(context_, limbs_);
        if (inputs_.empty()) {
            executor.parallelFor(targets, [&](size_t begin, size_t end) {
                for (size_t t = begin; t < end; ++t) {
                    startTarget(t);
                    finishTarget(t);
                }
            });
        }
        for (size_t input = 0; input < inputs_.size(); ++input) {
            Digits digits(context_, limbs_);
            digits.convert(*inputs_[input].evaluation, *inputs_[input].coefficients, executor);
            executor.parallelFor(targets, [&](size_t begin, size_t end) {
                for (size_t t = begin; t < end; ++t) {
                    if (input == 0) startTarget(t);
                    multiplyTarget(digits, input, t);
                    if (input + 1 == inputs_.size()) finishTarget(t);
                }
            });
        }
        for (size_t r = 0; r < results_.size(); ++r) {
            const auto& [terms, addends, out, rescaled] = results_[r];
            for (unsigned half = 0; half < 2; ++half) {
                const Poly& special = special_[2 * r + half];
                if (rescaled) {
                    modDownRescale(context_, special, out->level(), out->poly(half), rescaled->poly(half), executor);
                } else {
                    modDown(context_, special, limbs_, out->poly(half), executor);
                }
            }
        }
    }

private:
    void startTarget(size_t t) {
        for (size_t r = 0; r < results_.size(); ++r) addAddends(r, modulusOf(context_, limbs_, t));
    }

    void multiplyTarget(Digits& digits, size_t input, size_t t) {
        digits.transform(t);
        for (size_t r = 0; r < results_.size(); ++r) {
            for (const SwitchTerm& term : results_[r].terms) {
                if (term.input == input) {
                    multiply(r, term, digits.digits(t), digits.count(), modulusOf(context_, limbs_, t));
                }
            }
        }
    }

    void finishTarget(size_t t) {
        if (t < limbs_) return;
        for (Poly& special : special_)
            specialToCoefficients(context_, t - limbs_, special.limb(t - limbs_), special.limb(t - limbs_));
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
                if (addend.automorphism)
                    context_.kernels().permute(dst, src, *addend.automorphism, 0, n);
                else
                    std::memcpy(dst, src, n * sizeof(uint64_t));
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
            keys0[d] = key.keyLimb(at, d, KeySwitchKey::B);
            keys1[d] = key.keyLimb(at, d, KeySwitchKey::A);
        }
        context_.kernels().innerProduct({target(r, 0, modulus), target(r, 1, modulus), digits, keys0.data(), keys1.data(), count,
                                         term.automorphism, key.packing(at), true, 0, context_.ringDegree()},
                                        context_.modulus(modulus));
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
