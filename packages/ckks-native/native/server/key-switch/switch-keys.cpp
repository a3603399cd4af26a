#include "switch-keys.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "dropped-limbs.h"
#include "mod-down.h"

namespace heml {

namespace {

// Entries [begin, end) of both halves of a product with a key.
struct ProductRows {
    uint64_t* out[2];                                    // where entry begin goes
    const uint64_t* start[2];                            // the same of what the sum starts from; nullptr: 0
    const uint64_t* direct[2];                           // see InnerProductJob; nullptr: 0
    size_t origin;                                       // of the digits and of direct
    size_t begin, end;
    bool streamed;                                       // the result is read much later
    uint64_t factor = 1;
};

// The key's limbs modulo one prime.
class KeyLimbs {
public:
    KeyLimbs(const Context& context, const KeySwitchKey& key, size_t digits, size_t modulus) {
        const size_t at = modulus < context.qLimbs() ? modulus : key.qLimbs() + modulus - context.qLimbs();
        packing_ = key.packing(at);
        for (size_t d = 0; d < digits; ++d) {
            limbs_[0].push_back(key.keyLimb(at, d, KeySwitchKey::B));
            limbs_[1].push_back(key.keyLimb(at, d, KeySwitchKey::A));
        }
    }

    const kernel::KeyLimb* half(unsigned half) const { return limbs_[half].data(); }
    kernel::Packing packing() const { return packing_; }
    // Residues [begin, end) of a limb.
    kernel::MemoryRun run(size_t digit, unsigned half, size_t begin, size_t end) const {
        const size_t size = kernel::bytesPerResidue(packing_);
        return {static_cast<const uint8_t*>(limbs_[half][digit]) + begin * size, (end - begin) * size};
    }

private:
    std::vector<kernel::KeyLimb> limbs_[2];
    kernel::Packing packing_;
};

void multiplyRows(const Context& context, const KeyLimbs& key, const SwitchTerm& term, const Digits::Target& digits,
                  size_t modulus, const ProductRows& rows) {
    context.kernels().innerProduct({rows.out[0], rows.out[1], digits.digits(), key.half(0), key.half(1), digits.count(),
                                    term.automorphism, key.packing(), rows.start[0], rows.start[1], rows.begin, rows.end,
                                    rows.direct[0], rows.direct[1], rows.streamed, rows.origin, rows.factor},
                                   context.modulus(modulus));
}

// The general case, modulus by modulus.
class Switch {
public:
    Switch(const Context& context, unsigned level, const std::vector<SwitchInput>& inputs,
           const std::vector<SwitchResult>& results)
        : context_(context), limbs_(context.limbsAt(level)), inputs_(inputs), results_(results) {
        for (auto* polys : {&special_, &split_}) {
            for (size_t i = 0; i < 2 * results.size(); ++i) {
                polys->emplace_back(context.pool(), context.specialLimbs(), context.ringDegree(), MemoryKind::Scratch);
            }
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
            digits.convert(*inputs_[input].evaluation, *inputs_[input].split, executor);
            executor.parallelFor(targets, [&](size_t begin, size_t end) {
                Digits::Target digitsAt(digits, context_.ringDegree());
                for (size_t t = begin; t < end; ++t) {
                    if (input == 0) startTarget(t);
                    digitsAt.transform(t, 0, context_.ringDegree());
                    multiplyTarget(digitsAt, input, t);
                    if (input + 1 == inputs_.size()) finishTarget(t);
                }
            });
        }
        for (size_t r = 0; r < results_.size(); ++r) {
            for (unsigned half = 0; half < 2; ++half) {
                modDown(context_, split_[2 * r + half], limbs_, results_[r].out->poly(half), executor);
            }
        }
    }

private:
    void startTarget(size_t t) {
        for (size_t r = 0; r < results_.size(); ++r) addAddends(r, modulusOf(context_, limbs_, t));
    }

    void multiplyTarget(const Digits::Target& digits, size_t input, size_t t) {
        const size_t modulus = modulusOf(context_, limbs_, t);
        for (size_t r = 0; r < results_.size(); ++r) {
            for (const SwitchTerm& term : results_[r].terms) {
                if (term.input != input) continue;
                uint64_t* out0 = target(r, 0, modulus);
                uint64_t* out1 = target(r, 1, modulus);
                const KeyLimbs key(context_, *term.key, digits.count(), modulus);
                multiplyRows(context_, key, term, digits, modulus,
                             {{out0, out1}, {out0, out1}, {}, 0, 0, context_.ringDegree(), false});
            }
        }
    }

    void finishTarget(size_t t) {
        if (t < limbs_) return;
        const size_t j = t - limbs_;
        for (size_t i = 0; i < special_.size(); ++i) {
            splitSpecial(context_, j, split_[i].limb(j), special_[i].limb(j), 0, context_.ringDegree());
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

    uint64_t* target(size_t r, unsigned half, size_t modulus) {
        return modulus < context_.qLimbs() ? results_[r].out->limb(half, modulus)
                                           : special_[2 * r + half].limb(modulus - context_.qLimbs());
    }

    const Context& context_;
    const size_t limbs_;
    const std::vector<SwitchInput>& inputs_;
    const std::vector<SwitchResult>& results_;
    std::vector<Poly> special_;                          // two per result
    std::vector<Poly> split_;                            // the same, split
};

// One result that is one product with a key and addends that its kernel call takes along. The special limbs are made first, so
// that a q limb is finished where it is made: rows of [x mod P], rows of the digits, product, all in the cache.
class FusedSwitch {
public:
    static bool applies(const std::vector<SwitchInput>& inputs, const std::vector<SwitchResult>& results) {
        if (inputs.size() != 1 || results.size() != 1 || results[0].terms.size() != 1) return false;
        bool taken[2] = {false, false};
        for (const SwitchAddend& addend : results[0].addends) {
            if (addend.automorphism != results[0].terms[0].automorphism || taken[addend.half]) return false;
            if (addend.specialAt != SwitchAddend::NO_SPECIAL) return false;
            taken[addend.half] = true;
        }
        return true;
    }

    FusedSwitch(const Context& context, unsigned level, const SwitchInput& input, const SwitchResult& result)
        : context_(context),
          limbs_(context.limbsAt(level)),
          rows_(context.kernels().rowWords(static_cast<int>(context.logN()))),
          input_(input),
          result_(result),
          term_(result.terms[0]),
          rescaled_(result.rescales ? std::optional<DroppedLimbs>(std::in_place, context, level) : std::nullopt),
          level_(level),
          kept_(rescaled_ ? rescaled_->kept() : limbs_) {
        for (unsigned half = 0; half < 2; ++half) {
            if (rescaled_) dropped_.emplace_back(context.pool(), limbs_ - kept_, context.ringDegree(), MemoryKind::Scratch);
            special_.emplace_back(context.pool(), context.specialLimbs(), context.ringDegree(), MemoryKind::Scratch);
            converted_.emplace_back(context.pool(), limbs_, context.ringDegree(), MemoryKind::Scratch);
        }
    }

    void run(Executor& executor) {
        Digits digits(context_, limbs_);
        digits.convert(*input_.evaluation, *input_.split, executor);
        const auto products = [&](size_t first, size_t last) {
            executor.parallelFor(last - first, [&](size_t begin, size_t end) {
                Digits::Target digitsAt(digits, rows_);
                Poly halves(context_.pool(), 2, rows_, MemoryKind::Scratch);
                for (size_t t = first + begin; t < first + end; ++t) target(digitsAt, halves, t, first + end);
            });
        };
        products(limbs_, targetCount(context_, limbs_));
        convertSpecial(context_, special_, rescaled_ ? kept_ : 0, limbs_, converted_, executor);
        if (rescaled_) {
            products(kept_, limbs_);
            convertSpecialAndDropped(context_, special_, dropped_, level_, converted_, executor);
        }
        products(0, kept_);
    }

private:
    // An automorphism takes rows to rows: where those at `at` come from.
    size_t sourceOf(size_t at) const { return term_.automorphism ? term_.automorphism->sourceOf(at) / rows_ * rows_ : at; }

    // What rowsOf reads first.
    kernel::NextRows first(const Digits::Target& digits, size_t t, size_t at) const {
        if (t < limbs_) return {converted_[0].limb(t), at};
        return digits.first(t, sourceOf(at));
    }

    // end: of the targets that this thread makes, one after the other.
    void target(Digits::Target& digits, Poly& halves, size_t t, size_t end) {
        const size_t n = context_.ringDegree();
        const KeyLimbs key(context_, *term_.key, digits.count(), modulusOf(context_, limbs_, t));
        std::vector<std::array<kernel::MemoryRun, 2>> keyRows(digits.count());
        for (size_t at = 0; at < n; at += rows_) {
            kernel::NextRows next;
            if (at + rows_ < n) {
                next = first(digits, t, at + rows_);
            } else if (t + 1 < end) {
                next = first(digits, t + 1, 0);
            }
            for (size_t d = 0; d < digits.count(); ++d) {
                for (unsigned half = 0; half < 2; ++half) keyRows[d][half] = key.run(d, half, at, at + rows_);
            }
            if (t < limbs_) startRows(digits, halves, t, at, keyRows[t / context_.digitLimbs()]);
            digits.transform(t, sourceOf(at), sourceOf(at) + rows_, next, &keyRows);
            t < limbs_ ? finalRows(key, digits, halves, t, at) : specialRows(key, digits, halves, t, at);
        }
    }

    void specialRows(const KeyLimbs& key, const Digits::Target& digits, Poly& halves, size_t t, size_t at) {
        const size_t j = t - limbs_;
        multiplyRows(context_, key, term_, digits, context_.qLimbs() + j,
                     {{halves.limb(0), halves.limb(1)}, {}, {}, sourceOf(at), at, at + rows_, false});
        for (unsigned half = 0; half < 2; ++half) {
            splitSpecial(context_, j, special_[half].limb(j), halves.limb(half), at, at + rows_);
        }
    }

    // What the sums of q limb t start from. ownKey: key rows of the digit that has this limb, which nobody transforms.
    void startRows(const Digits::Target& digits, Poly& halves, size_t t, size_t at,
                   const std::array<kernel::MemoryRun, 2>& ownKey) {
        const size_t from = sourceOf(at);
        const size_t bytes = rows_ * sizeof(uint64_t);
        kernel::NextRows next[2] = {{converted_[1].limb(t), at, {ownKey[0], {input_.evaluation->limb(t) + from, bytes}, {}}},
                                    digits.first(t, from)};
        next[1].runs[0] = ownKey[1];
        for (const SwitchAddend& addend : result_.addends) next[1].runs[1 + addend.half] = {addend.poly->limb(t) + from, bytes};
        for (unsigned half = 0; half < 2; ++half) {
            context_.kernels().nttForwardRows(halves.limb(half), converted_[half].limb(t), context_.tables(t), at, at + rows_,
                                              next[half]);
        }
    }

    void finalRows(const KeyLimbs& key, const Digits::Target& digits, Poly& halves, size_t t, size_t at) {
        const size_t from = sourceOf(at);
        const bool dropped = t >= kept_;
        ProductRows rows{{}, {}, {}, from, at, at + rows_, !dropped, rescaled_ && !dropped ? rescaled_->inverse(t) : 1};
        for (unsigned half = 0; half < 2; ++half) {
            rows.start[half] = halves.limb(half);
            rows.out[half] = dropped ? halves.limb(half) : result_.out->limb(half, t) + at;
        }
        for (const SwitchAddend& addend : result_.addends) rows.direct[addend.half] = addend.poly->limb(t) + from;
        multiplyRows(context_, key, term_, digits, t, rows);
        for (unsigned half = 0; dropped && half < 2; ++half) {
            splitDropped(context_, level_, t - kept_, dropped_[half].limb(t - kept_), halves.limb(half), at, at + rows_);
        }
    }

    const Context& context_;
    const size_t limbs_;
    const size_t rows_;
    const SwitchInput& input_;
    const SwitchResult& result_;
    const SwitchTerm& term_;
    std::vector<Poly> special_;                          // by half, split
    std::vector<Poly> converted_;                        // by half, split
    // Where the result is rescaled: its level, whose limbs are made before the others.
    const std::optional<DroppedLimbs> rescaled_;
    const unsigned level_;
    const size_t kept_;
    std::vector<Poly> dropped_;                          // by half, split
};

}  // namespace

void switchKeys(const Context& context, unsigned level, const std::vector<SwitchInput>& inputs,
                const std::vector<SwitchResult>& results, Executor& executor) {
    if (FusedSwitch::applies(inputs, results)) {
        FusedSwitch(context, level, inputs[0], results[0]).run(executor);
    } else {
        Switch(context, level, inputs, results).run(executor);
    }
}

}  // namespace heml
