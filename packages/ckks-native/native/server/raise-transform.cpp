#include "raise-transform.h"

#include <cstring>
#include <string>

#include "evaluator.h"
#include "evaluator/hoisted-steps.h"
#include "evaluator/operands.h"
#include "key-switch/columns.h"
#include "key-switch/mod-down.h"
#include "mod-raise.h"

namespace heml {

namespace {

std::vector<Baby> babiesOf(const Context& main, const EncapsulationKey& key, const std::vector<RaiseTerm>& terms,
                           unsigned level) {
    std::vector<Baby> babies;
    for (const RaiseTerm& term : terms) {
        const KeySwitchKey* switching = key.raising(main, term.galoisElement);
        if (!switching) {
            throw KeyError("the encapsulation key has no rotation of Galois element " + std::to_string(term.galoisElement));
        }
        if (!term.plaintext) throw InvalidArgumentError("raiseTransform: a term needs a plaintext");
        if (!term.plaintext->context()->sameAs(main)) {
            throw ParameterMismatchError("raiseTransform: a plaintext was encoded for other parameters");
        }
        if (term.plaintext->level() < level) {
            throw LevelError("raiseTransform to level " + std::to_string(level) + ": a plaintext has level " +
                             std::to_string(term.plaintext->level()));
        }
        if (!term.plaintext->extended()) throw InvalidArgumentError("raiseTransform: plaintexts must be extended");
        if (switching->packed() != key.toDense.front().packed()) {
            throw InvalidArgumentError("raiseTransform needs keys that are all packed or all unpacked");
        }
        babies.push_back({switching, {term.plaintext}});
    }
    return babies;
}

// Both polynomials under the ephemeral secret, modulo each prime of the raising context: columns first, rows where they are used.
class Raised {
public:
    Raised(const Context& raising, size_t limbs) : context_(raising), limbs_(limbs) {
        for (unsigned half = 0; half < 2; ++half) {
            columns_[half] = Poly(raising.pool(), targetCount(raising, limbs), raising.ringDegree(), MemoryKind::Scratch);
        }
    }

    void convert(const Ciphertext& sparse, Executor& executor) {
        const size_t base = sparse.limbs();
        std::vector<Poly> split;
        std::vector<ColumnConversion> conversions;
        for (unsigned half = 0; half < 2; ++half) {
            split.push_back(decompose(*sparse.context(), sparse.poly(half), executor));
            std::vector<const uint64_t*> sources;
            for (size_t i = 0; i < base; ++i) sources.push_back(split[half].limb(i));
            ColumnConversion conversion(context_);
            std::vector<uint32_t> indices;
            // the first half is added times P, so special primes see nothing of it
            for (size_t t = base; t < (half == 0 ? limbs_ : targetCount(context_, limbs_)); ++t) {
                const size_t modulus = modulusOf(context_, limbs_, t);
                conversion.addTarget(columns_[half].limb(t), modulus);
                indices.push_back(Context::modUpTarget(0, base, modulus));
            }
            conversion.addSources(sources.data(), 0, context_.modUp(0, base), std::move(indices));
            conversions.push_back(std::move(conversion));
        }
        convertAll(context_, conversions, executor);
    }

    // Evaluation order and canonical, to `out`, which is used up by the next call for these limbs of the sparse ciphertext.
    void limb(uint64_t* out, const Ciphertext& sparse, unsigned half, size_t t) {
        const size_t n = context_.ringDegree();
        if (t < sparse.limbs()) {
            std::memcpy(out, sparse.limb(half, t), n * sizeof(uint64_t));
            return;
        }
        std::memset(out, 0, n * sizeof(uint64_t));
        context_.kernels().nttForwardRowsAdd(out, columns_[half].limb(t), context_.tables(modulusOf(context_, limbs_, t)), 0, n);
    }

private:
    const Context& context_;
    const size_t limbs_;
    Poly columns_[2];  // by target, those of the sparse ciphertext's own primes unused
};

// Where the sums go: kept limbs to the result, those that rescaling drops and special ones to memory of their own.
class Sums {
public:
    Sums(const Context& raising, Ciphertext& out, unsigned level)
        : context_(raising), out_(out), level_(level), limbs_(raising.limbsAt(level)), kept_(out.limbs()) {
        for (unsigned half = 0; half < 2; ++half) {
            own_.emplace_back(raising.pool(), limbs_ - kept_ + raising.specialLimbs(), raising.ringDegree(), MemoryKind::Scratch);
            special_.emplace_back(raising.pool(), raising.specialLimbs(), raising.ringDegree(), MemoryKind::Scratch);
        }
    }

    uint64_t* limb(unsigned half, size_t t) { return t < kept_ ? out_.limb(half, t) : own_[half].limb(t - kept_); }

    // Once target t has its sums.
    void made(size_t t) {
        if (t < limbs_) return;
        for (unsigned half = 0; half < 2; ++half) {
            splitSpecial(context_, t - limbs_, special_[half].limb(t - limbs_), limb(half, t), 0, context_.ringDegree());
        }
    }

    void divide(Executor& executor) {
        modDownAndRescale(context_, special_, own_, level_, {&out_.poly(0), &out_.poly(1)}, executor);
    }

private:
    const Context& context_;
    Ciphertext& out_;
    const unsigned level_;
    const size_t limbs_;
    const size_t kept_;
    std::vector<Poly> own_;  // by half
    std::vector<Poly> special_;  // by half, split
};

// One input, and what becomes of it.
struct Lane {
    Lane(const Context& raising, Ciphertext&& from, Ciphertext& out, unsigned level)
        : sparse(std::move(from)), raised(raising, raising.limbsAt(level)), sums(raising, out, level) {}

    Ciphertext sparse;
    Raised raised;
    Sums sums;
};

// All terms of all inputs modulo the prime of a target. rows: two limbs for each input.
void multiply(const Context& raising, const std::vector<Baby>& babies, std::vector<Lane>& lanes, Poly& rows, size_t t,
              size_t limbs) {
    const bool special = t >= limbs;
    std::vector<const uint64_t*> digits;
    std::vector<uint64_t*> to;
    for (size_t i = 0; i < lanes.size(); ++i) {
        Lane& lane = lanes[i];
        if (!special) lane.raised.limb(rows.limb(2 * i), lane.sparse, 0, t);
        lane.raised.limb(rows.limb(2 * i + 1), lane.sparse, 1, t);
        digits.push_back(rows.limb(2 * i + 1));
        for (unsigned half = 0; half < 2; ++half) to.push_back(lane.sums.limb(half, t));
    }
    std::vector<kernel::HoistedInput> inputs;
    for (size_t i = 0; i < lanes.size(); ++i) {
        inputs.push_back({&digits[i], special ? nullptr : rows.limb(2 * i), nullptr, &to[2 * i], &to[2 * i + 1]});
    }
    hoistedProducts(raising, babies, inputs, 1, modulusOf(raising, limbs, t));
    for (Lane& lane : lanes) lane.sums.made(t);
}

}  // namespace

std::vector<Ciphertext> raiseTransforms(const std::vector<const Ciphertext*>& inputs, const EncapsulationKey& key,
                                        const std::vector<RaiseTerm>& terms, unsigned level, Executor& executor) {
    if (inputs.empty()) throw InvalidArgumentError("raiseTransform needs at least one ciphertext");
    for (const Ciphertext* a : inputs) {
        requireRaisable(*a, key, level, "raiseTransform");
        requireSame(*inputs[0], *a);
    }
    if (terms.empty()) throw InvalidArgumentError("raiseTransform needs at least one term");
    const std::vector<Baby> babies = babiesOf(*inputs[0]->context(), key, terms, level);
    const Context& raising = *key.toDense.front().context();
    const size_t limbs = raising.limbsAt(level);
    std::vector<Ciphertext> out;
    std::vector<Lane> lanes;
    out.reserve(inputs.size());
    lanes.reserve(inputs.size());
    for (const Ciphertext* a : inputs) {
        out.emplace_back(a->context(), level - 1, 1);
        lanes.emplace_back(raising, toSparse(*a, key, executor), out.back(), level);
        lanes.back().raised.convert(lanes.back().sparse, executor);
    }
    executor.parallelFor(targetCount(raising, limbs), [&](size_t begin, size_t end) {
        Poly rows(raising.pool(), 2 * lanes.size(), raising.ringDegree(), MemoryKind::Scratch);
        for (size_t t = begin; t < end; ++t) multiply(raising, babies, lanes, rows, t, limbs);
    });
    for (Lane& lane : lanes) lane.sums.divide(executor);
    return out;
}

}  // namespace heml
