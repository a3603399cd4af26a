// The heart of a double-hoisted linear transform, without intermediate limbs.
// A block of coefficients is taken through all baby steps, whose inner products never become limbs: the baby values of a block
// are kept, and the sums live in registers, of a few giant steps at a time. Keys are read once, each limb in order, one block
// ahead.

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

/// Giant steps whose sums fit the registers.
inline constexpr std::size_t SUMS_AT_A_TIME = 5;

/// Lines that a few giant steps' sums go through before the next few: a cache line of plaintexts that repeat eight times lasts as long.
inline constexpr std::size_t LINES_AT_A_TIME = 8;

/// A run of kept baby values.
struct Stage {
    const StepValue* values;  ///< of one line
    const HoistedStep* steps;
    std::size_t stepCount;
};

/// One line of the sums of giant steps [first, first + GIANTS).
template <std::size_t GIANTS>
HEML_INLINE void stagedSums(const HoistedJob& job, const Stage& stage, std::size_t first, std::size_t i, bool accumulate,
                            const Folding& folding) {
    Accumulator sum0[GIANTS], sum1[GIANTS];
    for (std::size_t g = 0; g < GIANTS; ++g) {
        sum0[g].clear();
        sum1[g].clear();
    }
    for (std::size_t b = 0; b < stage.stepCount; ++b) {
        const StepValue& u = stage.values[b];
        const RepeatedLimb* plaintexts = stage.steps[b].plaintexts + first;
        for (std::size_t g = 0; g < GIANTS; ++g) {
            if (plaintexts[g].values == nullptr) continue;
            const Vec plaintext = loadRepeated(plaintexts[g], i);
            sum0[g].multiplyAdd(u.u0, plaintext);
            sum1[g].multiplyAdd(u.u1, plaintext);
        }
    }
    for (std::size_t g = 0; g < GIANTS; ++g) {
        finish(job.out0[first + g] + i, sum0[g], accumulate, folding);
        finish(job.out1[first + g] + i, sum1[g], accumulate, folding);
    }
}

/// Consecutive lines, `stride` values apart.
template <std::size_t GIANTS>
HEML_INLINE void stagedLines(const HoistedJob& job, const Stage& stage, std::size_t first, std::size_t i, std::size_t lines,
                             bool accumulate, const Folding& folding) {
    Stage line = stage;
    for (std::size_t k = 0; k < lines; ++k, line.values += stage.stepCount) {
        stagedSums<GIANTS>(job, line, first, i + k * LINE_WORDS, accumulate, folding);
    }
}

HEML_INLINE void stagedBlock(const HoistedJob& job, const Stage& stage, std::size_t i, std::size_t lines, bool accumulate,
                             const Folding& folding) {
    std::size_t g = 0;
    for (; g + SUMS_AT_A_TIME <= job.giantCount; g += SUMS_AT_A_TIME) {
        stagedLines<SUMS_AT_A_TIME>(job, stage, g, i, lines, accumulate, folding);
    }
    switch (job.giantCount - g) {
        case 1:
            return stagedLines<1>(job, stage, g, i, lines, accumulate, folding);
        case 2:
            return stagedLines<2>(job, stage, g, i, lines, accumulate, folding);
        case 3:
            return stagedLines<3>(job, stage, g, i, lines, accumulate, folding);
        case 4:
            return stagedLines<4>(job, stage, g, i, lines, accumulate, folding);
        default:
            return;
    }
}

/// A block of lines is taken through up to 32 baby steps, one after the other as memory likes it; then line by line, with the
/// sums of a few giant steps at a time in registers.
template <bool PACKED>
void hoisted(const HoistedJob& job, const Modulus& m) {
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
                for (std::size_t k = 0; k < lines; ++k) {
                    const std::size_t i = begin + k * LINE_WORDS;
                    values[k * steps + b] = stepValue<PACKED>(job, step, permutation, i, lines * LINE_WORDS, folding);
                }
            }
            for (std::size_t k = 0; k < lines; k += LINES_AT_A_TIME) {
                const std::size_t count = lines - k < LINES_AT_A_TIME ? lines - k : LINES_AT_A_TIME;
                stagedBlock(job, {values + k * steps, job.steps + first, steps}, begin + k * LINE_WORDS, count,
                            job.accumulate || first > 0, folding);
            }
        }
    }
}

}  // namespace

void hoistedProduct(const HoistedJob& job, const Modulus& m) {
    if (job.giantCount == 0 || job.begin == job.end) return;
    job.keysPacked ? hoisted<true>(job, m) : hoisted<false>(job, m);
}

}  // namespace heml::kernel::ifma
