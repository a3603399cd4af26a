// Basis conversion between split limbs (see kernels.h): the lists that a job points to, and the parallel loop.
#pragma once

#include <vector>

#include "runtime/executor.h"
#include "scheme/context.h"

namespace heml {

class ColumnConversion {
public:
    explicit ColumnConversion(const Context& context) : context_(context) {}

    // Limbs of consecutive moduli, the first of them `modulus`, split. Targets are those of the converter by position, or as
    // targetIndices (one per target, or none at all) says. To be called once or twice; then the results are added.
    void addSources(const uint64_t* const* limbs, size_t modulus, const kernel::BaseConverter& converter,
                    std::vector<uint32_t> targetIndices = {});
    void addTarget(uint64_t* limb, size_t modulus);
    // A share of the coefficients, see ConvertColumnsJob.
    void runRange(size_t begin, size_t end) const;

private:
    struct Part {
        std::vector<const uint64_t*> limbs;
        std::vector<const kernel::NttTables*> tables;
        const kernel::BaseConverter* converter;
        std::vector<uint32_t> targetIndices;
    };

    const Context& context_;
    std::vector<Part> parts_;
    std::vector<uint64_t*> targets_;
    std::vector<const kernel::NttTables*> targetTables_;
};

// Of each conversion, what a thread takes at a time (in rings that are large enough).
constexpr size_t COLUMN_SHARES = 16;

void convertAll(const Context& context, const std::vector<ColumnConversion>& conversions, Executor& executor);

}  // namespace heml
