#include "small-rings.h"

namespace heml {

const kernel::NttTables& SmallRings::at(size_t modulusIndex, unsigned logM) const {
    std::lock_guard<std::mutex> lock(mutex_);
    std::unique_ptr<kernel::NttTables>& tables = rings_[{modulusIndex, logM}];
    if (!tables) {
        const kernel::NttTables& large = context_->tables(modulusIndex);
        const kernel::Word root = kernel::powMod(large.root(), large.degree() >> logM, large.modulus());
        tables = std::make_unique<kernel::NttTables>(large.modulus(), static_cast<int>(logM), root);
    }
    return *tables;
}

}  // namespace heml
