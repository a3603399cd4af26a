#include "small-rings.h"

namespace heml {

namespace {

// t with zeta^(N/M) = z'^t, by walking the odd powers of z'.
kernel::Word exponentBetween(const kernel::NttTables& large, const kernel::NttTables& small) {
    const kernel::Modulus& modulus = large.modulus();
    const kernel::Word wanted = kernel::powMod(large.root(), large.degree() / small.degree(), modulus);
    const kernel::Word square = kernel::mulMod(small.root(), small.root(), modulus);
    kernel::Word power = small.root();
    for (kernel::Word t = 1; t < 2 * small.degree(); t += 2) {
        if (power == wanted) return t;
        power = kernel::mulMod(power, square, modulus);
    }
    throw Error("Internal", "no exponent between the roots of two degrees");
}

}  // namespace

SmallRing::SmallRing(const kernel::NttTables& large, unsigned logM)
    : tables(large.modulus(), static_cast<int>(logM)), reorder(static_cast<int>(logM), exponentBetween(large, tables)) {}

const SmallRing& SmallRings::at(size_t modulusIndex, unsigned logM) const {
    std::lock_guard<std::mutex> lock(mutex_);
    std::unique_ptr<SmallRing>& ring = rings_[{modulusIndex, logM}];
    if (!ring) ring = std::make_unique<SmallRing>(context_->tables(modulusIndex), logM);
    return *ring;
}

}  // namespace heml
