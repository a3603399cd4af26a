// The heart of a double-hoisted linear transform, without intermediate limbs.
// A block of coefficients is taken through all baby steps: each step's inner product lives in
// registers, and its products with the plaintexts go to (low, high) sums per giant step in a buffer
// that fits L1. Keys are read once, each limb in order, and asked for one block ahead.

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
HEML_INLINE StepValue stepValue(const HoistedJob& job, const HoistedStep& step, const Permutation& permutation,
                                std::size_t i, std::size_t ahead, const Folding& folding) {
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

/// sum (+ the old value): both in [0, p).
HEML_INLINE void finish(Word* out, const Accumulator& sum, bool accumulate, const Folding& folding) {
  const Vec value = sum.reduce(folding);
  store(out, accumulate ? subtractOnce(add64(value, load(out)), folding.prime.p) : value);
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

}  // namespace

void hoistedProduct(const HoistedJob& job, const Modulus& m) {
  if (job.giantCount == 0 || job.begin == job.end) return;
  job.keysPacked ? hoistedGiants<true>(job, m) : hoistedGiants<false>(job, m);
}

}  // namespace heml::kernel::ifma
