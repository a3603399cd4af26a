// Transforms of polynomials in Y = X^(N/M), for encoding periodic slot vectors at the cost of a smaller ring.
//
// Evaluation order at degree N asks for values at powers of zeta^(N/M), zeta the root of degree N. That is the root of these tables, so
// that a transform of degree M gives the wanted values in the wanted order.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "context.h"

namespace heml {

class SmallRings {
public:
    explicit SmallRings(std::shared_ptr<const Context> context) : context_(std::move(context)) {}

    // 10 <= logM < logN. Made on first use and kept; safe from any thread.
    const kernel::NttTables& at(size_t modulusIndex, unsigned logM) const;

private:
    std::shared_ptr<const Context> context_;
    mutable std::mutex mutex_;
    mutable std::map<std::pair<size_t, unsigned>, std::unique_ptr<kernel::NttTables>> rings_;
};

}  // namespace heml
