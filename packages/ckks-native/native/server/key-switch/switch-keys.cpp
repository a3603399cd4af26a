#include "switch-keys.h"

#include <algorithm>
#include <optional>

#include "dropped-limbs.h"
#include "key-rows.h"
#include "mod-down.h"
#include "row-steps.h"

namespace heml {

namespace {

// Results finished at a time where all are of one input: what is brought over from the special limbs takes as much memory as they do.
constexpr size_t FINISHED_TOGETHER = 2;

// A product of one of the inputs at work.
struct Term {
    const SwitchTerm* of;
    size_t input;  // counted from the first one at work
    size_t result;
    std::vector<size_t> places;  // rowPlaces
};

// Targets [first, last) of some terms, ordered by input.
struct Pass {
    const std::vector<Digits>& digits;  // of the inputs at work
    const std::vector<Term>& terms;
    size_t first, last;
    bool finishes;  // no inputs come after these
};

// What a thread works with.
struct Bench {
    std::vector<Digits::Target> digits;  // by input
    Poly halves;
    RowSteps steps;
    std::vector<KeyLimbs> keys;  // by term, of the target at work
    std::vector<size_t> ready;  // by term: steps that go before its product
    std::vector<kernel::MemoryRun> runs;
};

class Switch {
public:
    Switch(const Context& context, unsigned level, const std::vector<SwitchInput>& inputs, size_t together,
           const std::vector<SwitchResult>& results)
        : context_(context),
          level_(level),
          limbs_(context.limbsAt(level)),
          rows_(context.kernels().rowWords(static_cast<int>(context.logN()))),
          inputs_(inputs),
          together_(together),
          results_(results) {
        if (results[0].rescales) rescaled_.emplace(context, level);
        kept_ = rescaled_ ? rescaled_->kept() : limbs_;
        for (size_t i = 0; i < 2 * results.size(); ++i) {
            special_.push_back(scratch(context.specialLimbs()));
            if (together < inputs.size()) sums_.push_back(scratch(limbs_ - kept_ + context.specialLimbs()));
        }
    }

    void run(Executor& executor) {
        for (begin_ = 0; begin_ < inputs_.size(); begin_ += together_) {
            std::vector<Digits> digits;
            digits.reserve(together_);
            for (size_t i = begin_; i < begin_ + together_; ++i) {
                digits.emplace_back(context_, limbs_);
                digits.back().convert(*inputs_[i].evaluation, *inputs_[i].split, executor);
            }
            if (begin_ + together_ < inputs_.size()) {
                products({digits, termsOf(0, results_.size()), 0, targetCount(context_, limbs_), false}, executor);
            } else {
                finish(digits, executor);
            }
        }
    }

private:
    Poly scratch(size_t limbs) const { return Poly(context_.pool(), limbs, context_.ringDegree(), MemoryKind::Scratch); }

    // Of results [first, last), with the inputs at work.
    std::vector<Term> termsOf(size_t first, size_t last) const {
        std::vector<Term> terms;
        for (size_t r = first; r < last; ++r) {
            for (const SwitchTerm& term : results_[r].terms) {
                if (term.input < begin_ || term.input >= begin_ + together_) continue;
                terms.push_back({&term, term.input - begin_, r, rowPlaces(term.automorphism, context_.ringDegree(), rows_)});
            }
        }
        std::stable_sort(terms.begin(), terms.end(), [](const Term& a, const Term& b) { return a.input < b.input; });
        return terms;
    }

    void finish(const std::vector<Digits>& digits, Executor& executor) {
        const size_t targets = targetCount(context_, limbs_);
        products({digits, termsOf(0, results_.size()), limbs_, targets, true}, executor);
        const size_t most = std::max(FINISHED_TOGETHER, together_);
        for (size_t first = 0; first < results_.size(); first += most) {
            const size_t last = std::min(first + most, results_.size());
            const std::vector<Term> terms = termsOf(first, last);
            converted_.resize(2 * results_.size());
            for (size_t i = 2 * first; i < 2 * last; ++i) converted_[i] = scratch(limbs_);
            convertSpecial(context_, special_, {2 * first, 2 * last}, {rescaled_ ? kept_ : 0, limbs_}, converted_, executor);
            if (rescaled_) {
                dropped_.resize(2 * results_.size());
                for (size_t i = 2 * first; i < 2 * last; ++i) dropped_[i] = scratch(limbs_ - kept_);
                products({digits, terms, kept_, limbs_, true}, executor);
                convertSpecialAndDropped(context_, special_, dropped_, {2 * first, 2 * last}, level_, converted_, executor);
            }
            products({digits, terms, 0, kept_, true}, executor);
            for (size_t i = 2 * first; i < 2 * last; ++i) converted_[i] = Poly();
        }
    }

    void products(const Pass& pass, Executor& executor) {
        executor.parallelFor(pass.last - pass.first, [&](size_t begin, size_t end) {
            Bench bench{{}, scratchRows(), {}, {}, std::vector<size_t>(pass.terms.size()), {}};
            for (const Digits& digits : pass.digits) bench.digits.emplace_back(digits, rows_);
            for (size_t t = pass.first + begin; t < pass.first + end; ++t) target(pass, bench, t, pass.first + end);
        });
    }
    Poly scratchRows() const { return Poly(context_.pool(), 2, rows_, MemoryKind::Scratch); }

    // end: of the targets that this thread makes, one after the other.
    void target(const Pass& pass, Bench& bench, size_t t, size_t end) {
        const size_t modulus = modulusOf(context_, limbs_, t);
        bench.keys.clear();
        for (const Term& term : pass.terms) {
            bench.keys.emplace_back(context_, *term.of->key, pass.digits[term.input].count(), modulus);
        }
        const size_t n = context_.ringDegree();
        for (size_t from = 0; from < n; from += rows_) {
            plan(pass, bench, t, from);
            kernel::NextRows next;
            if (from + rows_ < n) {
                next = first(pass, bench, t, from + rows_);
            } else if (t + 1 < end) {
                next = first(pass, bench, t + 1, 0);
            }
            size_t done = 0;
            for (size_t k = 0; k < pass.terms.size(); ++k) {
                bench.steps.run(context_, done, bench.ready[k], modulus, rows_, next);
                done = bench.ready[k];
                product(pass, bench, k, t, from);
            }
        }
    }

    // Whether what comes over from the special limbs is added now.
    bool corrects(const Pass& pass, size_t t) const { return pass.finishes && t < limbs_; }
    static size_t placeOf(const Term& term, size_t from, size_t rows) { return term.places[from / rows]; }

    // What target transforms first.
    kernel::NextRows first(const Pass& pass, const Bench& bench, size_t t, size_t from) const {
        const Term& term = pass.terms[0];
        if (!corrects(pass, t)) return bench.digits[term.input].first(t, from);
        return {converted_[2 * term.result].limb(t), placeOf(term, from, rows_)};
    }

    // The transforms of all terms whose digits begin at `from`, and what is asked for meanwhile.
    void plan(const Pass& pass, Bench& bench, size_t t, size_t from) const {
        bench.steps.clear();
        for (size_t k = 0; k < pass.terms.size(); ++k) {
            const Term& term = pass.terms[k];
            const size_t before = bench.steps.count();
            for (unsigned half = 0; corrects(pass, t) && half < 2; ++half) {
                bench.steps.push(bench.halves.limb(half), converted_[2 * term.result + half].limb(t), placeOf(term, from, rows_));
            }
            if (k == 0 || pass.terms[k - 1].input != term.input) bench.digits[term.input].steps(t, from, bench.steps);
            bench.ready[k] = bench.steps.count();
            listRuns(pass, bench, k, t, from);
            if (bench.ready[k] > before) bench.steps.ask(before, bench.runs);
        }
    }

    // What the product of term k reads that nobody has just made.
    void listRuns(const Pass& pass, Bench& bench, size_t k, size_t t, size_t from) const {
        const Term& term = pass.terms[k];
        const size_t at = placeOf(term, from, rows_);
        const size_t bytes = rows_ * sizeof(uint64_t);
        bench.runs.clear();
        const auto push = [&](const uint64_t* rows) {
            if (rows) bench.runs.push_back({rows, bytes});
        };
        const bool known = k > 0 && pass.terms[k - 1].of->key == term.of->key;
        for (size_t d = 0; !known && d < pass.digits[term.input].count(); ++d) {
            for (unsigned half = 0; half < 2; ++half) bench.runs.push_back(bench.keys[k].run(d, half, at, at + rows_));
        }
        push(pass.digits[term.input].ownRows(t, from));
        for (unsigned half = 0; half < 2; ++half) {
            push(addendRows(term.of->addends, half, t, from));
            push(soFar(term, half, t, at));
        }
    }

    const uint64_t* addendRows(const SwitchAddends& addends, unsigned half, size_t t, size_t at) const {
        const Poly* poly = addends.half[half];
        return poly && t < poly->limbs() ? poly->limb(t) + at : nullptr;
    }

    // Rows of a half of a result as the inputs before these left them.
    const uint64_t* soFar(const Term& term, unsigned half, size_t t, size_t at) const {
        if (begin_ == 0) return addendRows(results_[term.result].addends, half, t, at);
        return t < kept_ ? results_[term.result].out->limb(half, t) + at : sums_[2 * term.result + half].limb(t - kept_) + at;
    }

    void product(const Pass& pass, Bench& bench, size_t k, size_t t, size_t from) {
        const Term& term = pass.terms[k];
        const KeyLimbs& key = bench.keys[k];
        const size_t modulus = modulusOf(context_, limbs_, t);
        const size_t at = placeOf(term, from, rows_);
        const uint64_t* const* digits = bench.digits[term.input].digits(t, from);
        const bool splits = pass.finishes && t >= kept_;
        uint64_t* out[2];
        const uint64_t *start[2], *added[2], *direct[2];
        for (unsigned half = 0; half < 2; ++half) {
            start[half] = corrects(pass, t) ? bench.halves.limb(half) : nullptr;
            added[half] = soFar(term, half, t, at);
            direct[half] = addendRows(term.of->addends, half, t, from);
            out[half] = splits ? bench.halves.limb(half) : place(term, half, t) + at;
        }
        const uint64_t factor = pass.finishes && rescaled_ && t < kept_ ? rescaled_->inverse(t) : 1;
        context_.kernels().innerProduct(
            {out[0], out[1], digits, key.half(0), key.half(1), pass.digits[term.input].count(), term.of->automorphism,
             key.packing(), start[0], start[1], at, at + rows_, direct[0], direct[1], !splits, from, factor, added[0], added[1]},
            context_.modulus(modulus));
        for (unsigned half = 0; splits && half < 2; ++half) split(term, half, t, bench.halves.limb(half), at);
    }

    // A limb of a half of a result, of the target's prime.
    uint64_t* place(const Term& term, unsigned half, size_t t) {
        return t < kept_ ? results_[term.result].out->limb(half, t) : sums_[2 * term.result + half].limb(t - kept_);
    }

    void split(const Term& term, unsigned half, size_t t, const uint64_t* rows, size_t at) {
        const size_t i = 2 * term.result + half;
        if (t >= limbs_) {
            splitSpecial(context_, t - limbs_, special_[i].limb(t - limbs_), rows, at, at + rows_);
        } else {
            splitDropped(context_, level_, t - kept_, dropped_[i].limb(t - kept_), rows, at, at + rows_);
        }
    }

    const Context& context_;
    const unsigned level_;
    const size_t limbs_;
    const size_t rows_;
    const std::vector<SwitchInput>& inputs_;
    const size_t together_;
    const std::vector<SwitchResult>& results_;
    std::optional<DroppedLimbs> rescaled_;
    size_t kept_ = 0;  // limbs that rescaling leaves, or all
    size_t begin_ = 0;  // of the inputs at work
    // by result and half:
    std::vector<Poly> sums_;  // limbs that rescaling drops, and special limbs, as the inputs before these left them
    std::vector<Poly> special_;  // split
    std::vector<Poly> converted_;  // split
    std::vector<Poly> dropped_;  // split: the limbs that rescaling drops
};

}  // namespace

void switchKeys(const Context& context, unsigned level, const std::vector<SwitchInput>& inputs, size_t together,
                const std::vector<SwitchResult>& results, Executor& executor) {
    Switch(context, level, inputs, together, results).run(executor);
}

}  // namespace heml
