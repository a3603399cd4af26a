// Transforms of polynomials in Y = X^(N/M), for encoding periodic slot vectors at the cost of a smaller ring.
//
// Evaluation order at degree N asks for values at powers of zeta^(N/M), zeta the minimal 2N-th root modulo p. The tables
// of degree M use their own minimal root z', and zeta^(N/M) = z'^t for some odd t: the wanted values are those of
// P(Y^t) at powers of z', so one automorphism after the small transform sets the order right.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "context.h"

namespace heml {

struct SmallRing {
    SmallRing(const kernel::NttTables& large, unsigned logM);
    kernel::NttTables tables;
    kernel::AutomorphismTable reorder;
};

class SmallRings {
public:
    explicit SmallRings(std::shared_ptr<const Context> context) : context_(std::move(context)) {}

    // 10 <= logM < logN. Made on first use and kept; safe from any thread.
    const SmallRing& at(size_t modulusIndex, unsigned logM) const;

private:
    std::shared_ptr<const Context> context_;
    mutable std::mutex mutex_;
    mutable std::map<std::pair<size_t, unsigned>, std::unique_ptr<SmallRing>> rings_;
};

}  // namespace heml
