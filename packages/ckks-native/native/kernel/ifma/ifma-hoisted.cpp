// The heart of a double-hoisted linear transform, without intermediate limbs.
// A block of coefficients is taken through all baby steps, whose inner products never become limbs: the baby values of a block
// are kept, and the sum of a giant step lives in registers. Keys are read once, each limb in order, one block ahead.

#include <algorithm>
#include <vector>

#include "accumulator.h"
#include "ifma.h"
#include "operands.h"

namespace heml::kernel::ifma {

namespace {

struct StepValue {
    Vec u0, u1;
};

template <bool PACKED>
HEML_INLINE StepValue stepValue(const HoistedJob& job, const HoistedStep& step, const Permutation& permutation, std::size_t i,
                                std::size_t ahead, const Folding& folding) {
    Permutation::Source source{i, lanesInOrder()};
    if (permutation.lines != nullptr) source = permutation.at(i);
    const Vec direct0 = job.direct0 == nullptr ? zero() : Permutation::take(job.direct0, source);
    if (step.keys0 == nullptr) {
        return {direct0, job.direct1 == nullptr ? zero() : Permutation::take(job.direct1, source)};
    }
    Accumulator sum0{direct0, zero()}, sum1{zero(), zero()};
    for (std::size_t d = 0; d < job.digitCount; ++d) {
        const Vec digit = Permutation::take(job.digits[d], source);
        sum0.multiplyAdd(digit, loadKey<PACKED>(step.keys0[d], i));
        sum1.multiplyAdd(digit, loadKey<PACKED>(step.keys1[d], i));
        const std::size_t bytes = (i + ahead) * (PACKED ? 6 : sizeof(Word));
        _mm_prefetch(static_cast<const char*>(step.keys0[d]) + bytes, _MM_HINT_T1);
        _mm_prefetch(static_cast<const char*>(step.keys1[d]) + bytes, _MM_HINT_T1);
        if ((d + 1) % FOLD_EVERY == 0) {
            sum0.fold(folding);
            sum1.fold(folding);
        }
    }
    return {sum0.reduce(folding), sum1.reduce(folding)};
}

/// sum (+ the old value): both in [0, p).
HEML_INLINE void finish(Word* out, const Accumulator& sum, bool accumulate, const Folding& folding) {
    const Vec value = sum.reduce(folding);
    store(out, accumulate ? subtractOnce(add64(value, load(out)), folding.prime.p) : value);
}

/// Baby steps whose values are kept at once, and lines of each: at most 128 KiB, half of that with 16 steps. Shorter runs of
/// lines were slower (4.5 ms at 8 lines, 3.0 at 32, for 16 steps and N = 2^16), longer ones no faster: memory likes long runs.
inline constexpr std::size_t STAGED_STEPS = 32;
inline constexpr std::size_t STAGED_LINES = 32;

/// Lines that a giant step's sum goes through before the next one's: a cache line of plaintexts that repeat eight times lasts as long.
inline constexpr std::size_t LINES_AT_A_TIME = 8;

struct Term {
    RepeatedLimb plaintext;
    std::size_t baby;  ///< counted from the first of its run of STAGED_STEPS
};

/// The terms of every run of baby steps and every giant step in it, without those that are not there.
class Terms {
public:
    explicit Terms(const HoistedJob& job) : giantCount_(job.giantCount) {
        for (std::size_t first = 0; first < job.stepCount; first += STAGED_STEPS) {
            const std::size_t end = std::min(job.stepCount, first + STAGED_STEPS);
            for (std::size_t g = 0; g < job.giantCount; ++g) {
                starts_.push_back(terms_.size());
                for (std::size_t b = first; b < end; ++b) {
                    const RepeatedLimb& plaintext = job.steps[b].plaintexts[g];
                    if (plaintext.values != nullptr) terms_.push_back({plaintext, b - first});
                }
            }
        }
        starts_.push_back(terms_.size());
    }

    struct List {
        const Term *begin, *end;
    };
    List of(std::size_t run, std::size_t giant) const {
        const std::size_t* start = &starts_[run * giantCount_ + giant];
        return {terms_.data() + start[0], terms_.data() + start[1]};
    }

    /// How often all plaintexts repeat, or ANY.
    int logRepeat() const {
        const auto same = [&](const Term& t) { return t.plaintext.logRepeat == terms_[0].plaintext.logRepeat; };
        return !terms_.empty() && std::all_of(terms_.begin(), terms_.end(), same) ? terms_[0].plaintext.logRepeat : ANY;
    }

    static constexpr int ANY = -1;

private:
    std::size_t giantCount_;
    std::vector<Term> terms_;
    std::vector<std::size_t> starts_;
};

/// Lines that follow these: hundreds of streams are more than the hardware keeps an eye on.
HEML_INLINE void prefetchPlaintexts(Terms::List terms, std::size_t i, std::size_t words) {
    for (const Term* t = terms.begin; t != terms.end; ++t) {
        // an address that may lie beyond the end: never a pointer into the limb
        const auto from = reinterpret_cast<std::uintptr_t>(t->plaintext.values) + sizeof(Word) * (i >> t->plaintext.logRepeat);
        const std::size_t bytes = sizeof(Word) * (words >> t->plaintext.logRepeat);
        for (std::size_t b = 0; b < bytes || b == 0; b += sizeof(Word) * LINE_WORDS) {
            _mm_prefetch(reinterpret_cast<const char*>(from + b), _MM_HINT_T1);
        }
    }
}

/// REPEAT: 0, 1, 2, 3 for at least three, or ANY.
template <int REPEAT>
HEML_INLINE Vec loadPlaintext(const RepeatedLimb& limb, std::size_t i) {
    if constexpr (REPEAT == Terms::ANY) return loadRepeated(limb, i);
    if constexpr (REPEAT == 3) return broadcast(limb.values[i >> limb.logRepeat]);
    return loadRepeated({limb.values, REPEAT}, i);
}

/// One line of the sum of a giant step, in two halves that do not wait for each other.
template <int REPEAT>
HEML_INLINE void stagedSum(const HoistedJob& job, const StepValue* values, Terms::List terms, std::size_t g, std::size_t i,
                           bool accumulate, const Folding& folding) {
    Accumulator sum0[2], sum1[2];
    for (std::size_t h = 0; h < 2; ++h) {
        sum0[h].clear();
        sum1[h].clear();
    }
    const Term* t = terms.begin;
    for (; t + 1 < terms.end; t += 2) {
        for (std::size_t h = 0; h < 2; ++h) {
            const StepValue& u = values[t[h].baby];
            const Vec plaintext = loadPlaintext<REPEAT>(t[h].plaintext, i);
            sum0[h].multiplyAdd(u.u0, plaintext);
            sum1[h].multiplyAdd(u.u1, plaintext);
        }
    }
    if (t != terms.end) {
        const Vec plaintext = loadPlaintext<REPEAT>(t->plaintext, i);
        sum0[0].multiplyAdd(values[t->baby].u0, plaintext);
        sum1[0].multiplyAdd(values[t->baby].u1, plaintext);
    }
    sum0[0].add(sum0[1]);
    sum1[0].add(sum1[1]);
    finish(job.out0[g] + i, sum0[0], accumulate, folding);
    finish(job.out1[g] + i, sum1[0], accumulate, folding);
}

/// Where the lines of a block come from; the next baby step's, asked for while this one is at work.
HEML_INLINE void prefetchLines(const HoistedStep& step, std::size_t begin, std::size_t lines) {
    if (step.automorphism == nullptr) return;
    const std::uint32_t* first = step.automorphism->lines() + begin / LINE_WORDS;
    for (std::size_t k = 0; k < lines; k += 16) _mm_prefetch(reinterpret_cast<const char*>(first + k), _MM_HINT_T0);
}

/// A block of lines is taken through up to 32 baby steps, one after the other as memory likes it; then giant step by giant step, with
/// the sum in registers.
template <bool PACKED, int REPEAT>
void hoisted(const HoistedJob& job, const Terms& terms, const Modulus& m) {
    alignas(64) StepValue values[STAGED_STEPS * STAGED_LINES];
    const Folding folding(m);
    for (std::size_t begin = job.begin; begin < job.end; begin += STAGED_LINES * LINE_WORDS) {
        const std::size_t left = (job.end - begin) / LINE_WORDS;
        const std::size_t lines = left < STAGED_LINES ? left : STAGED_LINES;
        for (std::size_t first = 0; first < job.stepCount; first += STAGED_STEPS) {
            const std::size_t steps = job.stepCount - first < STAGED_STEPS ? job.stepCount - first : STAGED_STEPS;
            for (std::size_t b = 0; b < steps; ++b) {
                const HoistedStep& step = job.steps[first + b];
                const Permutation permutation(step.automorphism);
                if (b + 1 < steps) prefetchLines(job.steps[first + b + 1], begin, lines);
                for (std::size_t k = 0; k < lines; ++k) {
                    const std::size_t i = begin + k * LINE_WORDS;
                    values[k * steps + b] = stepValue<PACKED>(job, step, permutation, i, lines * LINE_WORDS, folding);
                }
            }
            const bool accumulate = job.accumulate || first > 0;
            for (std::size_t from = 0; from < lines; from += LINES_AT_A_TIME) {
                const std::size_t to = lines - from < LINES_AT_A_TIME ? lines : from + LINES_AT_A_TIME;
                for (std::size_t g = 0; g < job.giantCount; ++g) {
                    const Terms::List list = terms.of(first / STAGED_STEPS, g);
                    prefetchPlaintexts(list, begin + to * LINE_WORDS, (to - from) * LINE_WORDS);
                    for (std::size_t k = from; k < to; ++k) {
                        stagedSum<REPEAT>(job, values + k * steps, list, g, begin + k * LINE_WORDS, accumulate, folding);
                    }
                }
            }
        }
    }
}

template <bool PACKED>
void hoistedOf(const HoistedJob& job, const Modulus& m) {
    const Terms terms(job);
    const int logRepeat = terms.logRepeat();
    if (logRepeat == Terms::ANY) return hoisted<PACKED, Terms::ANY>(job, terms, m);
    if (logRepeat == 0) return hoisted<PACKED, 0>(job, terms, m);
    if (logRepeat == 1) return hoisted<PACKED, 1>(job, terms, m);
    if (logRepeat == 2) return hoisted<PACKED, 2>(job, terms, m);
    return hoisted<PACKED, 3>(job, terms, m);
}

}  // namespace

void hoistedProduct(const HoistedJob& job, const Modulus& m) {
    if (job.giantCount == 0 || job.begin == job.end) return;
    job.keysPacked ? hoistedOf<true>(job, m) : hoistedOf<false>(job, m);
}

}  // namespace heml::kernel::ifma
