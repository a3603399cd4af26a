// Double hoisting (Bossuat et al., ePrint 2020/1203, section 4): one decomposition for all baby steps, products with
// plaintexts modulo QP, and one division by P per giant step instead of one per rotation.
//
// For each target limb: the digits' transforms, then the kernel's hoisted product over all baby and giant steps, so that a
// rotated baby ciphertext exists only in registers. A giant step's second half is then divided by P and decomposed for
// the giant step's own key switch (switch-keys.h). A lone giant step without a key is finished at once, in the result.
// Where the result is rescaled, both divisions are one.
#include "server/evaluator.h"
#include "hoisted-steps.h"
#include "operands.h"
#include "server/key-switch/mod-down.h"
#include "server/key-switch/switch-keys.h"

namespace heml {

namespace {

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

// One input, and what becomes of it.
struct Lane {
    const Ciphertext* a;
    Ciphertext out;
    std::vector<Poly> special = {};  // per giant step and half: special limbs, split
    std::vector<Poly> q = {};  // per giant step and half: modulo QP; when alone, what the result has no place for
    std::vector<Poly> split = {};  // per giant step with a key: decomposed second half
};

class Transform {
public:
    Transform(const std::vector<const Ciphertext*>& inputs, const std::vector<GiantStep>& giants, bool rescales)
        : context_(*inputs[0]->context()),
          level_(inputs[0]->level()),
          limbs_(inputs[0]->limbs()),
          rescales_(rescales),
          kept_(rescales ? context_.limbsAt(level_ - 1) : limbs_),
          giants_(merge(giants)),
          babies_(collectBabies(giants_)),
          alone_(giants_.size() == 1 && isIdentity(giants_[0].key)) {
        for (const Ciphertext* a : inputs) {
            lanes_.push_back({a, Ciphertext(a->context(), rescales ? level_ - 1 : level_, 1)});
            for (const GiantStep& giant : giants_) {
                for (unsigned half = 0; half < 2; ++half) {
                    lanes_.back().special.push_back(scratch(context_.specialLimbs()));
                    lanes_.back().q.push_back(scratch((alone_ ? limbs_ - kept_ : limbs_) + context_.specialLimbs()));
                }
                lanes_.back().split.push_back(isIdentity(giant.key) ? Poly() : scratch(limbs_));
            }
        }
    }

    std::vector<Ciphertext> run(Executor& executor) {
        babySteps(executor);
        for (Lane& lane : lanes_) divide(lane, executor);
        if (!alone_) finish(executor);
        std::vector<Ciphertext> out;
        for (Lane& lane : lanes_) out.push_back(std::move(lane.out));
        return out;
    }

private:
    Poly scratch(size_t limbs) const { return Poly(context_.pool(), limbs, context_.ringDegree(), MemoryKind::Scratch); }

    void babySteps(Executor& executor) {
        std::vector<Digits> digits;
        digits.reserve(lanes_.size());
        for (const Lane& lane : lanes_) {
            const Poly split = decompose(context_, lane.a->poly(1), executor);
            digits.emplace_back(context_, limbs_);
            digits.back().convert(lane.a->poly(1), split, executor);
        }
        const size_t n = context_.ringDegree();
        executor.parallelFor(targetCount(context_, limbs_), [&](size_t begin, size_t end) {
            std::vector<Digits::Target> digitsAt;
            for (const Digits& of : digits) digitsAt.emplace_back(of, n);
            RowSteps steps;
            for (size_t t = begin; t < end; ++t) {
                std::vector<const uint64_t* const*> made;
                for (Digits::Target& of : digitsAt) {
                    steps.clear();
                    of.steps(t, 0, steps);
                    steps.run(context_, 0, steps.count(), modulusOf(context_, limbs_, t), n, {});
                    made.push_back(of.digits(t, 0));
                }
                multiply(made, digits[0].count(), modulusOf(context_, limbs_, t));
                if (t >= limbs_) specialLimb(t - limbs_);
            }
        });
    }

    uint64_t* target(Lane& lane, size_t g, unsigned half, size_t modulus) {
        const size_t at = modulus < context_.qLimbs() ? modulus : limbs_ + modulus - context_.qLimbs();
        if (alone_ && at < kept_) return lane.out.limb(half, at);
        return lane.q[2 * g + half].limb(alone_ ? at - kept_ : at);
    }

    // All baby and giant steps modulo one prime.
    void multiply(const std::vector<const uint64_t* const*>& digits, size_t digitCount, size_t modulus) {
        const bool special = modulus >= context_.qLimbs();
        const size_t sums = giants_.size();
        std::vector<uint64_t*> out;  // by input and half, giant step by giant step
        for (Lane& lane : lanes_) {
            for (unsigned half = 0; half < 2; ++half) {
                for (size_t g = 0; g < sums; ++g) out.push_back(target(lane, g, half, modulus));
            }
        }
        std::vector<kernel::HoistedInput> inputs;
        for (size_t i = 0; i < lanes_.size(); ++i) {
            const Ciphertext& a = *lanes_[i].a;
            inputs.push_back({digits[i], special ? nullptr : a.limb(0, modulus), special ? nullptr : a.limb(1, modulus),
                              out.data() + 2 * i * sums, out.data() + (2 * i + 1) * sums});
        }
        hoistedProducts(context_, babies_, inputs, digitCount, modulus);
    }

    // Which halves of giant step g are divided by P before the end: both when it is alone, the second when it rotates.
    bool divides(size_t g, unsigned half) const { return alone_ || (half == 1 && !isIdentity(giants_[g].key)); }

    void specialLimb(size_t j) {
        for (Lane& lane : lanes_) {
            for (size_t g = 0; g < giants_.size(); ++g) {
                for (unsigned half = 0; half < 2; ++half) {
                    if (!divides(g, half)) continue;
                    splitSpecial(context_, j, lane.special[2 * g + half].limb(j), target(lane, g, half, context_.qLimbs() + j), 0,
                                 context_.ringDegree());
                }
            }
        }
    }

    void divide(Lane& lane, Executor& executor) {
        if (alone_ && rescales_) {
            modDownAndRescale(context_, lane.special, lane.q, level_, {&lane.out.poly(0), &lane.out.poly(1)}, executor);
            return;
        }
        for (size_t g = 0; g < giants_.size(); ++g) {
            for (unsigned half = 0; half < 2; ++half) {
                if (!divides(g, half)) continue;
                Poly& poly = alone_ ? lane.out.poly(half) : lane.q[2 * g + half];
                modDown(context_, lane.special[2 * g + half], limbs_, poly, executor, [&](size_t i) {
                    if (!alone_) decomposeLimb(context_, limbs_, i, lane.split[g].limb(i), poly.limb(i));
                });
            }
        }
    }

    // Sums of sigma_g of all giant steps, and the only divisions of these sums.
    void finish(Executor& executor) {
        std::vector<SwitchInput> inputs;
        std::vector<SwitchResult> results;
        for (Lane& lane : lanes_) results.push_back({{}, {}, &lane.out, rescales_});
        for (size_t g = 0; g < giants_.size(); ++g) {
            const KeySwitchKey* key = giants_[g].key;
            const bool moves = key && key->galoisElement() != 1;
            const kernel::AutomorphismTable* table = moves ? &context_.automorphism(key->galoisElement()) : nullptr;
            for (size_t i = 0; i < lanes_.size(); ++i) {
                const Lane& lane = lanes_[i];
                if (isIdentity(key)) {
                    results[i].addends = {{&lane.q[2 * g], &lane.q[2 * g + 1]}};
                    continue;
                }
                results[i].terms.push_back({inputs.size(), key, table, {{&lane.q[2 * g]}}});
                inputs.push_back({&lane.q[2 * g + 1], &lane.split[g]});
            }
        }
        switchKeys(context_, level_, inputs, lanes_.size(), results, executor);
    }

    const Context& context_;
    const unsigned level_;
    const size_t limbs_;
    const bool rescales_;
    const size_t kept_;  // limbs of the results
    const std::vector<GiantStep> giants_;  // merged
    const std::vector<Baby> babies_;
    const bool alone_;  // one giant step, no key: no second key switch
    std::vector<Lane> lanes_;
};

}  // namespace

namespace {

std::vector<Ciphertext> transformed(const std::vector<const Ciphertext*>& inputs, const std::vector<GiantStep>& giants,
                                    bool rescales, Executor& executor) {
    if (inputs.empty()) throw InvalidArgumentError("a linear transform needs at least one ciphertext");
    for (const Ciphertext* a : inputs) {
        requireSame(*inputs[0], *a);
        check(*a, giants);
        if (rescales) requireRescalable(*a);
    }
    return Transform(inputs, giants, rescales).run(executor);
}

}  // namespace

Ciphertext linearTransform(const Ciphertext& a, const std::vector<GiantStep>& giants, Executor& executor) {
    return std::move(transformed({&a}, giants, false, executor)[0]);
}

std::vector<Ciphertext> linearTransform(const std::vector<const Ciphertext*>& inputs, const std::vector<GiantStep>& giants,
                                        Executor& executor) {
    return transformed(inputs, giants, false, executor);
}

std::vector<Ciphertext> linearTransformRescale(const std::vector<const Ciphertext*>& inputs, const std::vector<GiantStep>& giants,
                                               Executor& executor) {
    return transformed(inputs, giants, true, executor);
}

}  // namespace heml
