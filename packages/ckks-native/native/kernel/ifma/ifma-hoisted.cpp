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

/// In [0, 4p), garbage above: factors of at most STAGED_STEPS products a sum, whose high halves stay below 2^51.
struct StepValue {
    Vec u0, u1;
};

/// A line of a step's values of INPUTS inputs, `stride` apart.
template <Packing KEYS, std::size_t INPUTS>
HEML_INLINE void stepValues(StepValue* values, std::size_t stride, const HoistedInput* inputs, const HoistedJob& job,
                            const HoistedStep& step, const Permutation& permutation, std::size_t i, std::size_t ahead,
                            const Folding& folding) {
    Permutation::Source source{i, lanesInOrder()};
    if (permutation.lines != nullptr) source = permutation.at(i);
    const auto take = [&](const Word* limb) { return limb == nullptr ? zero() : Permutation::take(limb, source); };
    if (step.keys0 == nullptr) {
        for (std::size_t k = 0; k < INPUTS; ++k) values[k * stride] = {take(inputs[k].direct0), take(inputs[k].direct1)};
        return;
    }
    Accumulator sum0[INPUTS], sum1[INPUTS];
#pragma GCC unroll 2
    for (std::size_t k = 0; k < INPUTS; ++k) {
        sum0[k] = {take(inputs[k].direct0), zero()};
        sum1[k].clear();
    }
    for (std::size_t d = 0; d < job.digitCount; ++d) {
        const Vec key0 = loadKey<KEYS>(step.keys0[d], i), key1 = loadKey<KEYS>(step.keys1[d], i);
        const std::size_t bytes = (i + ahead) * bytesPerResidue(KEYS);
        _mm_prefetch(static_cast<const char*>(step.keys0[d]) + bytes, _MM_HINT_T1);
        _mm_prefetch(static_cast<const char*>(step.keys1[d]) + bytes, _MM_HINT_T1);
#pragma GCC unroll 2
        for (std::size_t k = 0; k < INPUTS; ++k) {
            const Vec digit = Permutation::take(inputs[k].digits[d], source);
            sum0[k].multiplyAdd(digit, key0);
            sum1[k].multiplyAdd(digit, key1);
        }
        if ((d + 1) % FOLD_WIDE_EVERY == 0) {
            for (std::size_t k = 0; k < INPUTS; ++k) {
                sum0[k].fold(folding);
                sum1[k].fold(folding);
            }
        }
    }
#pragma GCC unroll 2
    for (std::size_t k = 0; k < INPUTS; ++k) values[k * stride] = {sum0[k].reduceLazy(folding), sum1[k].reduceLazy(folding)};
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

/// Inputs that share what they load; their values are this far apart.
inline constexpr std::size_t MOST_INPUTS = 2;
inline constexpr std::size_t INPUT_STRIDE = STAGED_STEPS * STAGED_LINES;

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

    /// Whether all plaintexts repeat as often and are packed alike.
    bool alike() const {
        const auto same = [&](const Term& t) {
            return t.plaintext.logRepeat == terms_[0].plaintext.logRepeat && t.plaintext.packing == terms_[0].plaintext.packing;
        };
        return !terms_.empty() && std::all_of(terms_.begin(), terms_.end(), same);
    }
    const RepeatedLimb& first() const { return terms_[0].plaintext; }

private:
    std::size_t giantCount_;
    std::vector<Term> terms_;
    std::vector<std::size_t> starts_;
};

/// Lines that follow these: hundreds of streams are more than the hardware keeps an eye on.
HEML_INLINE void prefetchPlaintexts(Terms::List terms, std::size_t i, std::size_t words) {
    for (const Term* t = terms.begin; t != terms.end; ++t) {
        // an address that may lie beyond the end: never a pointer into the limb
        const std::size_t size = bytesPerResidue(t->plaintext.packing);
        const auto from = reinterpret_cast<std::uintptr_t>(t->plaintext.values) + size * (i >> t->plaintext.logRepeat);
        const std::size_t bytes = size * (words >> t->plaintext.logRepeat);
        for (std::size_t b = 0; b < bytes || b == 0; b += sizeof(Word) * LINE_WORDS) {
            _mm_prefetch(reinterpret_cast<const char*>(from + b), _MM_HINT_T1);
        }
    }
}

/// Plaintexts of any kind.
struct AnyPlaintext {
    static Vec load(const RepeatedLimb& limb, std::size_t i) { return loadRepeated(limb, i); }
};
/// Plaintexts that are all alike. REPEAT: 0, 1, 2, or 3 for at least three.
template <Packing PACKING, int REPEAT>
struct AlikePlaintext {
    HEML_INLINE static Vec load(const RepeatedLimb& limb, std::size_t i) {
        if constexpr (REPEAT < 3) return loadRepeated({limb.values, REPEAT, PACKING}, i);
        const std::size_t at = i >> limb.logRepeat;
        if constexpr (PACKING == Packing::four) return broadcast(static_cast<const std::uint32_t*>(limb.values)[at]);
        return broadcast(static_cast<const Word*>(limb.values)[at]);
    }
};

/// LINES lines of the sum of a giant step, of INPUTS inputs, side by side: one line alone waits for its own sums, and all share what a
/// term's address costs. values: of the first line and input; those of the next line are `stride` later.
template <typename PLAINTEXT, std::size_t INPUTS, std::size_t LINES>
HEML_INLINE void stagedSum(const HoistedInput* inputs, const StepValue* values, std::size_t stride, Terms::List terms,
                           std::size_t g, std::size_t i, bool accumulate, const Folding& folding) {
    Accumulator sum0[INPUTS][LINES], sum1[INPUTS][LINES];
#pragma GCC unroll 2
    for (std::size_t n = 0; n < INPUTS; ++n) {
#pragma GCC unroll 2
        for (std::size_t k = 0; k < LINES; ++k) {
            sum0[n][k].clear();
            sum1[n][k].clear();
        }
    }
    for (const Term* t = terms.begin; t != terms.end; ++t) {
#pragma GCC unroll 2
        for (std::size_t k = 0; k < LINES; ++k) {
            const Vec plaintext = PLAINTEXT::load(t->plaintext, i + k * LINE_WORDS);
#pragma GCC unroll 2
            for (std::size_t n = 0; n < INPUTS; ++n) {
                const StepValue& u = values[n * INPUT_STRIDE + k * stride + t->baby];
                sum0[n][k].multiplyAdd(u.u0, plaintext);
                sum1[n][k].multiplyAdd(u.u1, plaintext);
            }
        }
    }
#pragma GCC unroll 2
    for (std::size_t n = 0; n < INPUTS; ++n) {
#pragma GCC unroll 2
        for (std::size_t k = 0; k < LINES; ++k) {
            finish(inputs[n].out0[g] + i + k * LINE_WORDS, sum0[n][k], accumulate, folding);
            finish(inputs[n].out1[g] + i + k * LINE_WORDS, sum1[n][k], accumulate, folding);
        }
    }
}

/// Where the lines of a block come from; the next baby step's, asked for while this one is at work.
HEML_INLINE void prefetchLines(const HoistedStep& step, std::size_t begin, std::size_t lines) {
    if (step.automorphism == nullptr) return;
    const std::uint32_t* first = step.automorphism->lines() + begin / LINE_WORDS;
    for (std::size_t k = 0; k < lines; k += 16) _mm_prefetch(reinterpret_cast<const char*>(first + k), _MM_HINT_T0);
}

/// What the giant steps' sums are made of: a block of lines of up to 32 baby steps.
struct Block {
    std::size_t begin, lines;  ///< words, lines
    std::size_t first, steps;  ///< baby steps
    StepValue* values;  ///< [input][line][step]
    const HoistedInput* inputs;
};

/// One baby step after the other, as memory likes it.
template <Packing KEYS, std::size_t INPUTS>
void babySteps(const HoistedJob& job, const Block& block, const Folding& folding) {
    for (std::size_t b = 0; b < block.steps; ++b) {
        const HoistedStep& step = job.steps[block.first + b];
        const Permutation permutation(step.automorphism);
        if (b + 1 < block.steps) prefetchLines(job.steps[block.first + b + 1], block.begin, block.lines);
        for (std::size_t k = 0; k < block.lines; ++k) {
            const std::size_t i = block.begin + k * LINE_WORDS;
            stepValues<KEYS, INPUTS>(block.values + k * block.steps + b, INPUT_STRIDE, block.inputs, job, step, permutation, i,
                                     block.lines * LINE_WORDS, folding);
        }
    }
}

/// Giant step by giant step, with the sum in registers.
template <typename PLAINTEXT, std::size_t INPUTS>
void giantSteps(const HoistedJob& job, const Terms& terms, const Block& block, const Folding& folding) {
    const bool accumulate = job.accumulate || block.first > 0;
    for (std::size_t from = 0; from < block.lines; from += LINES_AT_A_TIME) {
        const std::size_t to = block.lines - from < LINES_AT_A_TIME ? block.lines : from + LINES_AT_A_TIME;
        for (std::size_t g = 0; g < job.giantCount; ++g) {
            const Terms::List list = terms.of(block.first / STAGED_STEPS, g);
            prefetchPlaintexts(list, block.begin + to * LINE_WORDS, (to - from) * LINE_WORDS);
            std::size_t k = from;
            for (; k + 2 <= to; k += 2) {
                stagedSum<PLAINTEXT, INPUTS, 2>(block.inputs, block.values + k * block.steps, block.steps, list, g,
                                                block.begin + k * LINE_WORDS, accumulate, folding);
            }
            if (k < to) {
                stagedSum<PLAINTEXT, INPUTS, 1>(block.inputs, block.values + k * block.steps, block.steps, list, g,
                                                block.begin + k * LINE_WORDS, accumulate, folding);
            }
        }
    }
}

using BabySteps = void (*)(const HoistedJob&, const Block&, const Folding&);
using GiantSteps = void (*)(const HoistedJob&, const Terms&, const Block&, const Folding&);

template <std::size_t INPUTS>
BabySteps babyStepsFor(Packing keys) {
    if (keys == Packing::four) return babySteps<Packing::four, INPUTS>;
    return keys == Packing::six ? babySteps<Packing::six, INPUTS> : babySteps<Packing::words, INPUTS>;
}

template <std::size_t INPUTS, Packing PACKING>
GiantSteps giantStepsFor(int logRepeat) {
    if (logRepeat == 0) return giantSteps<AlikePlaintext<PACKING, 0>, INPUTS>;
    if (logRepeat == 1) return giantSteps<AlikePlaintext<PACKING, 1>, INPUTS>;
    if (logRepeat == 2) return giantSteps<AlikePlaintext<PACKING, 2>, INPUTS>;
    return giantSteps<AlikePlaintext<PACKING, 3>, INPUTS>;
}

template <std::size_t INPUTS>
GiantSteps giantStepsFor(const Terms& terms) {
    if (!terms.alike()) return giantSteps<AnyPlaintext, INPUTS>;
    const RepeatedLimb& first = terms.first();
    return first.packing == Packing::four ? giantStepsFor<INPUTS, Packing::four>(first.logRepeat)
                                          : giantStepsFor<INPUTS, Packing::words>(first.logRepeat);
}

}  // namespace

void hoistedProduct(const HoistedJob& job, const Modulus& m) {
    if (job.giantCount == 0 || job.begin == job.end) return;
    alignas(64) StepValue values[MOST_INPUTS * INPUT_STRIDE];
    const Folding folding(m);
    const Terms terms(job);
    const BabySteps baby[] = {babyStepsFor<1>(job.keys), babyStepsFor<2>(job.keys)};
    const GiantSteps giant[] = {giantStepsFor<1>(terms), giantStepsFor<2>(terms)};
    for (std::size_t begin = job.begin; begin < job.end; begin += STAGED_LINES * LINE_WORDS) {
        const std::size_t lines = std::min((job.end - begin) / LINE_WORDS, STAGED_LINES);
        for (std::size_t first = 0; first < job.stepCount; first += STAGED_STEPS) {
            const std::size_t steps = std::min(job.stepCount - first, STAGED_STEPS);
            for (std::size_t input = 0; input < job.inputCount; input += MOST_INPUTS) {
                const Block block{begin, lines, first, steps, values, job.inputs + input};
                const std::size_t form = job.inputCount - input >= MOST_INPUTS;
                baby[form](job, block, folding);
                giant[form](job, terms, block, folding);
            }
        }
    }
}

}  // namespace heml::kernel::ifma
