// Sums of products: 128-bit accumulators, folded to a residue every 128 products so that they stay
// below 2^104, the range of reduceWideMod.

#include <vector>

#include "scalar.h"

namespace heml::kernel::scalar {

namespace {

inline constexpr std::size_t FOLD_EVERY = 128;

class Accumulator {
public:
    explicit Accumulator(Word start) : sum_(start) {}

  /// a, b in [0, 2^48).
    void multiplyAdd(Word a, Word b, const Modulus& m) {
        sum_ += static_cast<Wide>(a) * b;
        if (++terms_ == FOLD_EVERY) {
            sum_ = reduceWideMod(sum_, m);
            terms_ = 0;
        }
    }

  /// Result in [0, p).
    Word reduce(const Modulus& m) const { return reduceWideMod(sum_, m); }

private:
    Wide sum_;
    std::size_t terms_ = 0;
};

inline Word residueAt(const void* limb, Packing packing, std::size_t i) {
    if (packing == Packing::words) return static_cast<const Word*>(limb)[i];
    const std::size_t size = bytesPerResidue(packing);
    const std::uint8_t* bytes = static_cast<const std::uint8_t*>(limb) + size * i;
    Word value = 0;
    for (std::size_t b = 0; b < size; ++b) value |= static_cast<Word>(bytes[b]) << (8 * b);
    return value;
}

inline Word repeatedAt(const RepeatedLimb& limb, std::size_t i) {
    return residueAt(limb.values, limb.packing, i >> limb.logRepeat);
}

inline std::size_t sourceIndex(const AutomorphismTable* table, std::size_t i) {
    return table == nullptr ? i : table->sourceOf(i);
}

void hoistedProductOf(const HoistedInput& input, const HoistedJob& job, const Modulus& m) {
    std::vector<Word> steps0(job.stepCount);
    std::vector<Word> steps1(job.stepCount);
    for (std::size_t i = job.begin; i < job.end; ++i) {
        for (std::size_t b = 0; b < job.stepCount; ++b) {
            const HoistedStep& step = job.steps[b];
            const std::size_t source = sourceIndex(step.automorphism, i);
            const bool keyed = step.keys0 != nullptr;
            Accumulator sum0(input.direct0 == nullptr ? 0 : input.direct0[source]);
            Accumulator sum1(keyed || input.direct1 == nullptr ? 0 : input.direct1[source]);
            for (std::size_t d = 0; keyed && d < job.digitCount; ++d) {
                const Word digit = input.digits[d][source];
                sum0.multiplyAdd(digit, residueAt(step.keys0[d], job.keys, i), m);
                sum1.multiplyAdd(digit, residueAt(step.keys1[d], job.keys, i), m);
            }
            steps0[b] = sum0.reduce(m);
            steps1[b] = sum1.reduce(m);
        }
        for (std::size_t g = 0; g < job.giantCount; ++g) {
            Accumulator sum0(job.accumulate ? input.out0[g][i] : 0);
            Accumulator sum1(job.accumulate ? input.out1[g][i] : 0);
            for (std::size_t b = 0; b < job.stepCount; ++b) {
                const RepeatedLimb& plaintext = job.steps[b].plaintexts[g];
                if (plaintext.values == nullptr) continue;
                const Word value = repeatedAt(plaintext, i);
                sum0.multiplyAdd(steps0[b], value, m);
                sum1.multiplyAdd(steps1[b], value, m);
            }
            input.out0[g][i] = sum0.reduce(m);
            input.out1[g][i] = sum1.reduce(m);
        }
    }
}

}  // namespace

void baseConvert(const ConvertJob& job, const BaseConverter& converter) {
    const std::size_t count = converter.sourceCount();
    Word scaled[MAX_CONVERTER_SOURCES];
    for (std::size_t i = job.begin; i < job.end; ++i) {
        double fraction = 0.5;
        for (std::size_t s = 0; s < count; ++s) {
            const Modulus& q = converter.sources()[s];
            scaled[s] = job.sourcesScaled ? job.sources[s][i] : mulShoup(job.sources[s][i], converter.sourceFactor(s), q);
            fraction += static_cast<double>(scaled[s]) * q.inverse;
        }
        const Word overflow = static_cast<Word>(fraction);
        for (std::size_t t = 0; t < job.targetCount; ++t) {
            const std::size_t j = job.targetIndices == nullptr ? t : job.targetIndices[t];
            const Word* weights = converter.weights(j);
            Wide sum = static_cast<Wide>(overflow) * weights[count];
            for (std::size_t s = 0; s < count; ++s) sum += static_cast<Wide>(scaled[s]) * weights[s];
            job.targets[t][i] = reduceWideMod(sum, converter.targets()[j]);
        }
    }
}

void innerProduct(const InnerProductJob& job, const Modulus& m) {
    for (std::size_t i = job.begin; i < job.end; ++i) {
        const std::size_t source = sourceIndex(job.automorphism, i) - job.origin;
        Accumulator sum0(job.start0 == nullptr ? 0 : job.start0[i - job.begin]);
        Accumulator sum1(job.start1 == nullptr ? 0 : job.start1[i - job.begin]);
        if (job.added0 != nullptr) sum0.multiplyAdd(job.added0[i - job.begin], 1, m);
        if (job.added1 != nullptr) sum1.multiplyAdd(job.added1[i - job.begin], 1, m);
        if (job.direct0 != nullptr) sum0.multiplyAdd(job.direct0[source], 1, m);
        if (job.direct1 != nullptr) sum1.multiplyAdd(job.direct1[source], 1, m);
        for (std::size_t d = 0; d < job.count; ++d) {
            const Word digit = job.digits[d][source];
            sum0.multiplyAdd(digit, residueAt(job.keys0[d], job.keys, i), m);
            sum1.multiplyAdd(digit, residueAt(job.keys1[d], job.keys, i), m);
        }
        job.out0[i - job.begin] = mulMod(sum0.reduce(m), job.factor, m);
        job.out1[i - job.begin] = mulMod(sum1.reduce(m), job.factor, m);
    }
}

void sumProducts(const SumProductsJob& job, const Modulus& m) {
    for (std::size_t i = job.begin; i < job.end; ++i) {
        Accumulator sum(job.accumulate ? job.dst[i] : 0);
        for (std::size_t t = 0; t < job.count; ++t) {
            const RepeatedLimb& b = job.multipliers[t];
            if (b.values != nullptr) sum.multiplyAdd(job.factors[t][i], repeatedAt(b, i), m);
        }
        job.dst[i] = sum.reduce(m);
    }
}

void hoistedProduct(const HoistedJob& job, const Modulus& m) {
    for (std::size_t i = 0; i < job.inputCount; ++i) hoistedProductOf(job.inputs[i], job, m);
}

void matrixProduct(const MatrixJob& job, const Modulus& m) {
    for (std::size_t row = 0; row < job.rows; ++row) {
        const Word* weights = job.weights + row * job.weightStride;
        Word* target = job.targets[row];
        for (std::size_t i = job.begin; i < job.end; ++i) {
            Accumulator sum(job.accumulate ? target[i] : 0);
            for (std::size_t column = 0; column < job.columns; ++column) {
                sum.multiplyAdd(job.sources[column][i], weights[column], m);
            }
            target[i] = sum.reduce(m);
        }
    }
}

}  // namespace heml::kernel::scalar
