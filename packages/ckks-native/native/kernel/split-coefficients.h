#pragma once
// convertColumns of kernels whose split limbs are coefficients.

#include "kernels.h"

namespace heml::kernel {

inline void convertCoefficients(const ConvertColumnsJob& job, decltype(Kernels::baseConvert) convert,
                                decltype(Kernels::add) add) {
    const ColumnSources& first = job.parts[0];
    convert({first.limbs, true, job.targets, first.targetIndices, job.targetCount, job.begin, job.end}, *first.converter);
    if (job.partCount == 1) return;
    const AlignedArray<Word> limb = makeAlignedArray<Word>(first.tables[0]->degree());
    Word* const target = limb.get();
    for (std::size_t p = 1; p < job.partCount; ++p) {
        const ColumnSources& part = job.parts[p];
        for (std::size_t t = 0; t < job.targetCount; ++t) {
            const std::uint32_t index = part.targetIndices == nullptr ? static_cast<std::uint32_t>(t) : part.targetIndices[t];
            convert({part.limbs, true, &target, &index, 1, job.begin, job.end}, *part.converter);
            Word* sum = job.targets[t] + job.begin;
            add(sum, sum, target + job.begin, job.end - job.begin, job.targetTables[t]->modulus());
        }
    }
}

}  // namespace heml::kernel
