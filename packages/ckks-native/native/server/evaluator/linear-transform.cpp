// Double hoisting (Bossuat et al., ePrint 2020/1203, section 4): one decomposition for all baby steps, products with
// plaintexts modulo QP, and one division by P per giant step instead of one per rotation.
//
// For each target limb: the digits' transforms, then the kernel's hoisted product over all baby and giant steps, so that a
// rotated baby ciphertext exists only in registers. A giant step's second half is then divided by P and decomposed for
// the giant step's own key switch (switch-keys.h). A lone giant step without a key is finished at once, in the result.
#include "server/evaluator.h"
#include "operands.h"
#include "server/key-switch/mod-down.h"
#include "server/key-switch/switch-keys.h"

namespace heml {

namespace {

// Words of deferred plaintexts: 32 MB, 64 limbs at N = 2^16 and more where they repeat. Fewer would have every giant step's sums read and
// written more often; more only where a baby step alone has more giant steps.
constexpr size_t MADE_AT_A_TIME = size_t{1} << 22;

bool isIdentity(const KeySwitchKey* key) { return key == nullptr; }

void requireStepKey(const Ciphertext& a, const KeySwitchKey* key) {
    if (isIdentity(key)) return;
    requireKey(a, *key);
    if (key->galoisElement() == KeySwitchKey::RELINEARIZATION) {
        throw KeyError("expected Galois keys, got a relinearization key");
    }
}

void check(const Ciphertext& a, const std::vector<GiantStep>& giants) {
    requireDegreeOne(a, "linearTransform");
    if (giants.empty()) throw InvalidArgumentError("a linear transform needs at least one giant step");
    const KeySwitchKey* first = nullptr;  // baby key: all are packed or none is
    for (const GiantStep& giant : giants) {
        requireStepKey(a, giant.key);
        if (giants.size() > kernel::MAX_GIANT_STEPS) {
            throw InvalidArgumentError("at most 128 giant steps, got " + std::to_string(giants.size()));
        }
        if (giant.terms.empty()) throw InvalidArgumentError("a giant step needs at least one term");
        for (const BabyTerm& term : giant.terms) {
            requireStepKey(a, term.key);
            if (!term.plaintext) throw InvalidArgumentError("a baby step needs a plaintext");
            requirePlaintext(a, *term.plaintext);
            if (!isIdentity(term.key) && !term.plaintext->extended()) {
                throw InvalidArgumentError("the plaintext of a rotated baby step must be extended");
            }
            if (!isIdentity(term.key) && !first) first = term.key;
            if (!isIdentity(term.key) && term.key->packed() != first->packed()) {
                throw InvalidArgumentError("baby steps need keys that are all packed or all unpacked");
            }
        }
    }
}

// A cache line between limbs made: hundreds are read side by side, and limbs a power of two apart would share a few lines of the caches.
constexpr size_t SKEW_WORDS = kernel::LINE_WORDS;

// One distinct baby rotation; plaintexts[g] of each giant step, nullptr where it has none.
struct Baby {
    const KeySwitchKey* key;
    std::vector<const Plaintext*> plaintexts;
};

// Giant steps that do not rotate are one.
std::vector<GiantStep> merge(const std::vector<GiantStep>& giants) {
    std::vector<GiantStep> out;
    for (const GiantStep& giant : giants) {
        auto same = std::find_if(out.begin(), out.end(), [](const GiantStep& other) { return isIdentity(other.key); });
        if (same == out.end() || !isIdentity(giant.key)) same = out.insert(out.end(), {giant.key, {}});
        same->terms.insert(same->terms.end(), giant.terms.begin(), giant.terms.end());
    }
    return out;
}

std::vector<Baby> collect(const std::vector<GiantStep>& giants) {
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
            if (special && isIdentity(baby.key)) continue;  // a multiple of P
            plaintexts_.emplace_back();
            for (const Plaintext* plaintext : baby.plaintexts) {
                plaintexts_.back().push_back(limbOf(context, plaintext, modulus));
            }
            kernel::HoistedStep step{nullptr, nullptr, nullptr, plaintexts_.back().data()};
            if (!isIdentity(baby.key)) {
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

class Transform {
public:
    Transform(const Ciphertext& a, const std::vector<GiantStep>& giants)
        : a_(a),
          context_(*a.context()),
          limbs_(a.limbs()),
          giants_(merge(giants)),
          babies_(collect(giants_)),
          out_(a.context(), a.level(), 1),
          alone_(giants_.size() == 1 && isIdentity(giants_[0].key)) {
        const size_t n = context_.ringDegree();
        const size_t special = context_.specialLimbs();
        for (const GiantStep& giant : giants_) {
            for (unsigned half = 0; half < 2; ++half) {
                special_.emplace_back(context_.pool(), special, n, MemoryKind::Scratch);
                q_.emplace_back(context_.pool(), (alone_ ? 0 : limbs_) + special, n, MemoryKind::Scratch);
            }
            split_.push_back(isIdentity(giant.key) ? Poly() : Poly(context_.pool(), limbs_, n, MemoryKind::Scratch));
        }
    }

    Ciphertext run(Executor& executor) {
        {
            const Poly split = decompose(context_, a_.poly(1), executor);
            Digits digits(context_, limbs_);
            digits.convert(a_.poly(1), split, executor);
            executor.parallelFor(targetCount(context_, limbs_), [&](size_t begin, size_t end) {
                Digits::Target digitsAt(digits, context_.ringDegree());
                RowSteps steps;
                for (size_t t = begin; t < end; ++t) {
                    const size_t modulus = modulusOf(context_, limbs_, t);
                    steps.clear();
                    digitsAt.steps(t, 0, steps);
                    steps.run(context_, 0, steps.count(), modulus, context_.ringDegree(), {});
                    multiply(digitsAt.digits(t, 0), digits.count(), modulus);
                    if (t >= limbs_) specialLimb(t - limbs_);
                }
            });
        }
        divide(executor);
        if (!alone_) finish(executor);
        return std::move(out_);
    }

private:
    uint64_t* target(size_t g, unsigned half, size_t modulus) {
        if (modulus < context_.qLimbs()) return alone_ ? out_.limb(half, modulus) : q_[2 * g + half].limb(modulus);
        return alone_ ? q_[half].limb(modulus - context_.qLimbs()) : q_[2 * g + half].limb(limbs_ + modulus - context_.qLimbs());
    }

    // All baby and giant steps modulo one prime.
    void multiply(const uint64_t* const* digits, size_t digitCount, size_t modulus) {
        const size_t n = context_.ringDegree();
        const bool special = modulus >= context_.qLimbs();
        std::vector<uint64_t*> out[2];
        for (unsigned half = 0; half < 2; ++half) {
            for (size_t g = 0; g < giants_.size(); ++g) out[half].push_back(target(g, half, modulus));
        }
        bool accumulate = false;
        for (size_t begin = 0; begin < babies_.size();) {
            const size_t end = endOfRun(begin);
            const Steps steps(context_, babies_, begin, end, digitCount, modulus);
            begin = end;
            if (steps.list().empty()) continue;
            context_.kernels().hoistedProduct({digits, digitCount, special ? nullptr : a_.limb(0, modulus),
                                               special ? nullptr : a_.limb(1, modulus), steps.list().data(), steps.list().size(),
                                               out[0].data(), out[1].data(), giants_.size(), packing(modulus), accumulate, 0, n},
                                              context_.modulus(modulus));
            accumulate = true;
        }
        if (accumulate) return;
        for (unsigned half = 0; half < 2; ++half) {
            for (uint64_t* limb : out[half]) std::memset(limb, 0, n * sizeof(uint64_t));
        }
    }

    // Baby steps from `begin` on whose deferred plaintexts are made at a time; all, where none is.
    size_t endOfRun(size_t begin) const {
        size_t made = 0, end = begin;
        for (; end < babies_.size(); ++end) {
            for (const Plaintext* plaintext : babies_[end].plaintexts) {
                if (plaintext && plaintext->deferred()) made += plaintext->wordsPerLimb();
            }
            if (made > MADE_AT_A_TIME && end > begin) break;
        }
        return end;
    }

    // Of all baby keys alike: check() saw to it.
    kernel::Packing packing(size_t modulus) const {
        const auto packed = [](const Baby& b) { return b.key && b.key->packed(); };
        return std::any_of(babies_.begin(), babies_.end(), packed) ? keyPacking(context_.modulus(modulus))
                                                                   : kernel::Packing::words;
    }

    // Which halves of giant step g are divided by P before the end: both when it is alone, the second when it rotates.
    bool divides(size_t g, unsigned half) const { return alone_ || (half == 1 && !isIdentity(giants_[g].key)); }

    void specialLimb(size_t j) {
        for (size_t g = 0; g < giants_.size(); ++g) {
            for (unsigned half = 0; half < 2; ++half) {
                if (divides(g, half)) {
                    splitSpecial(context_, j, special_[2 * g + half].limb(j), target(g, half, context_.qLimbs() + j), 0,
                                 context_.ringDegree());
                }
            }
        }
    }

    void divide(Executor& executor) {
        for (size_t g = 0; g < giants_.size(); ++g) {
            for (unsigned half = 0; half < 2; ++half) {
                if (!divides(g, half)) continue;
                Poly& poly = alone_ ? out_.poly(half) : q_[2 * g + half];
                modDown(context_, special_[2 * g + half], limbs_, poly, executor, [&](size_t i) {
                    if (!alone_) decomposeLimb(context_, limbs_, i, split_[g].limb(i), poly.limb(i));
                });
            }
        }
    }

    // Sum of sigma_g of all giant steps, and the only division of that sum.
    void finish(Executor& executor) {
        std::vector<SwitchInput> inputs;
        SwitchResult result{{}, {}, &out_};
        for (size_t g = 0; g < giants_.size(); ++g) {
            const KeySwitchKey* key = giants_[g].key;
            if (isIdentity(key)) {
                result.addends = {{&q_[2 * g], &q_[2 * g + 1]}};
                continue;
            }
            const bool moves = key->galoisElement() != 1;
            result.terms.push_back(
                {inputs.size(), key, moves ? &context_.automorphism(key->galoisElement()) : nullptr, {{&q_[2 * g]}}});
            inputs.push_back({&q_[2 * g + 1], &split_[g]});
        }
        switchKeys(context_, a_.level(), inputs, 1, {result}, executor);
    }

    const Ciphertext& a_;
    const Context& context_;
    const size_t limbs_;
    const std::vector<GiantStep> giants_;  // merged
    const std::vector<Baby> babies_;
    Ciphertext out_;
    const bool alone_;  // one giant step, no key: no second key switch
    std::vector<Poly> special_;  // per giant step and half: special limbs, split
    std::vector<Poly> q_;  // per giant step and half: modulo QP; modulo P when alone
    std::vector<Poly> split_;  // per giant step with a key: decomposed second half
};

}  // namespace

Ciphertext linearTransform(const Ciphertext& a, const std::vector<GiantStep>& giants, Executor& executor) {
    check(a, giants);
    return Transform(a, giants).run(executor);
}

}  // namespace heml
