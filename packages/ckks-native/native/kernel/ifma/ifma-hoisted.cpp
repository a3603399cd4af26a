// The heart of a double-hoisted linear transform, without intermediate limbs.
// A block of coefficients is taken through all baby steps, whose inner products never become limbs. With few giant steps
// the baby values of a block are kept, and the sums live in registers; with many, the products with the plaintexts go to
// (low, high) sums per giant step in a buffer that fits L1. Keys are read once, each limb in order, one block ahead.

#include "accumulator.h"
#include "ifma.h"
#include "operands.h"

namespace heml::kernel::ifma {

namespace {

/// Both components of one giant step's sum for one line.
struct GiantSum {
    Accumulator c0, c1;
};

inline constexpr std::size_t MAX_BLOCK_LINES = 32;
inline constexpr std::size_t BUFFER_SUMS = MAX_GIANT_STEPS;  // 32 KiB

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

/// Few giant steps: a block of lines is taken through up to 32 baby steps, one after the other as memory likes it; then line
/// by line, with the sums of all giant steps in registers.
template <bool PACKED, std::size_t GIANTS>
void hoistedStaged(const HoistedJob& job, const Modulus& m) {
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
            const bool accumulate = job.accumulate || first > 0;
            for (std::size_t k = 0; k < lines; ++k) {
                const std::size_t i = begin + k * LINE_WORDS;
                Accumulator sum0[GIANTS], sum1[GIANTS];
                for (std::size_t g = 0; g < GIANTS; ++g) {
                    sum0[g].clear();
                    sum1[g].clear();
                }
                for (std::size_t b = 0; b < steps; ++b) {
                    const StepValue& u = values[k * steps + b];
                    const RepeatedLimb* plaintexts = job.steps[first + b].plaintexts;
                    for (std::size_t g = 0; g < GIANTS; ++g) {
                        if (plaintexts[g].values == nullptr) continue;
                        const Vec plaintext = loadRepeated(plaintexts[g], i);
                        sum0[g].multiplyAdd(u.u0, plaintext);
                        sum1[g].multiplyAdd(u.u1, plaintext);
                    }
                }
                for (std::size_t g = 0; g < GIANTS; ++g) {
                    finish(job.out0[g] + i, sum0[g], accumulate, folding);
                    finish(job.out1[g] + i, sum1[g], accumulate, folding);
                }
            }
        }
    }
}

template <bool PACKED>
void hoistedBlock(const HoistedJob& job, GiantSum* sums, std::size_t begin, std::size_t lines, const Folding& folding) {
    for (std::size_t s = 0; s < lines * job.giantCount; ++s) {
        sums[s].c0.clear();
        sums[s].c1.clear();
    }
    for (std::size_t b = 0; b < job.stepCount; ++b) {
        const HoistedStep& step = job.steps[b];
        const Permutation permutation(step.automorphism);
        const bool fold = (b + 1) % FOLD_EVERY == 0;
        for (std::size_t k = 0; k < lines; ++k) {
            const std::size_t i = begin + k * LINE_WORDS;
            const StepValue u = stepValue<PACKED>(job, step, permutation, i, lines * LINE_WORDS, folding);
            GiantSum* line = sums + k * job.giantCount;
            for (std::size_t g = 0; g < job.giantCount; ++g) {
                if (step.plaintexts[g].values == nullptr) continue;
                const Vec plaintext = loadRepeated(step.plaintexts[g], i);
                line[g].c0.multiplyAdd(u.u0, plaintext);
                line[g].c1.multiplyAdd(u.u1, plaintext);
            }
            for (std::size_t g = 0; fold && g < job.giantCount; ++g) {
                line[g].c0.fold(folding);
                line[g].c1.fold(folding);
            }
        }
    }
}

template <bool PACKED>
void hoistedGiants(const HoistedJob& job, const Modulus& m) {
    alignas(64) GiantSum sums[BUFFER_SUMS];
    const Folding folding(m);
    const std::size_t fitting = BUFFER_SUMS / job.giantCount;
    const std::size_t blockLines = fitting < MAX_BLOCK_LINES ? fitting : MAX_BLOCK_LINES;
    for (std::size_t i = job.begin; i < job.end; i += blockLines * LINE_WORDS) {
        const std::size_t left = (job.end - i) / LINE_WORDS;
        const std::size_t lines = left < blockLines ? left : blockLines;
        hoistedBlock<PACKED>(job, sums, i, lines, folding);
        for (std::size_t g = 0; g < job.giantCount; ++g) {
            for (std::size_t k = 0; k < lines; ++k) {
                const GiantSum& sum = sums[k * job.giantCount + g];
                finish(job.out0[g] + i + k * LINE_WORDS, sum.c0, job.accumulate, folding);
                finish(job.out1[g] + i + k * LINE_WORDS, sum.c1, job.accumulate, folding);
            }
        }
    }
}

template <bool PACKED>
void hoisted(const HoistedJob& job, const Modulus& m) {
    switch (job.giantCount) {
        case 1:
            return hoistedStaged<PACKED, 1>(job, m);
        case 2:
            return hoistedStaged<PACKED, 2>(job, m);
        case 3:
            return hoistedStaged<PACKED, 3>(job, m);
        case 4:
            return hoistedStaged<PACKED, 4>(job, m);
        case 5:
            return hoistedStaged<PACKED, 5>(job, m);
        default:
            return hoistedGiants<PACKED>(job, m);
    }
}

}  // namespace

void hoistedProduct(const HoistedJob& job, const Modulus& m) {
    if (job.giantCount == 0 || job.begin == job.end) return;
    job.keysPacked ? hoisted<true>(job, m) : hoisted<false>(job, m);
}

}  // namespace heml::kernel::ifma
