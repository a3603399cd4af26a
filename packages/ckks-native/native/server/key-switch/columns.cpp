#include "columns.h"

#include <algorithm>

namespace heml {

void ColumnConversion::addSources(const uint64_t* const* limbs, size_t modulus, const kernel::BaseConverter& converter,
                                  std::vector<uint32_t> targetIndices) {
    Part part{{limbs, limbs + converter.sourceCount()}, {}, &converter, std::move(targetIndices)};
    for (size_t i = 0; i < converter.sourceCount(); ++i) part.tables.push_back(&context_.tables(modulus + i));
    parts_.push_back(std::move(part));
}

void ColumnConversion::addTarget(uint64_t* limb, size_t modulus) {
    targets_.push_back(limb);
    targetTables_.push_back(&context_.tables(modulus));
}

void ColumnConversion::runRange(size_t begin, size_t end) const {
    kernel::ColumnSources parts[kernel::MAX_COLUMN_PARTS];
    for (size_t p = 0; p < parts_.size(); ++p) {
        const Part& part = parts_[p];
        const uint32_t* indices = part.targetIndices.empty() ? nullptr : part.targetIndices.data();
        parts[p] = {part.limbs.data(), part.tables.data(), part.converter, indices};
    }
    context_.kernels().convertColumns({parts, parts_.size(), targets_.data(), targetTables_.data(), targets_.size(), begin, end});
}

void convertAll(const Context& context, const std::vector<ColumnConversion>& conversions, Executor& executor) {
    const size_t range = std::max(kernel::COLUMN_RANGE, context.ringDegree() / COLUMN_SHARES);
    const size_t shares = context.ringDegree() / range;
    executor.parallelFor(conversions.size() * shares, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) conversions[i / shares].runRange(i % shares * range, (i % shares + 1) * range);
    });
}

}  // namespace heml
