#include "key-rows.h"

namespace heml {

KeyLimbs::KeyLimbs(const Context& context, const KeySwitchKey& key, size_t digits, size_t modulus) {
    const size_t at = modulus < context.qLimbs() ? modulus : key.qLimbs() + modulus - context.qLimbs();
    packing_ = key.packing(at);
    for (size_t d = 0; d < digits; ++d) {
        limbs_[0].push_back(key.keyLimb(at, d, KeySwitchKey::B));
        limbs_[1].push_back(key.keyLimb(at, d, KeySwitchKey::A));
    }
}

kernel::MemoryRun KeyLimbs::run(size_t digit, unsigned half, size_t begin, size_t end) const {
    const size_t size = kernel::bytesPerResidue(packing_);
    return {static_cast<const uint8_t*>(limbs_[half][digit]) + begin * size, (end - begin) * size};
}

std::vector<size_t> rowPlaces(const kernel::AutomorphismTable* automorphism, size_t degree, size_t rows) {
    std::vector<size_t> places(degree / rows);
    for (size_t at = 0; at < degree; at += rows) places[(automorphism ? automorphism->sourceOf(at) : at) / rows] = at;
    return places;
}

}  // namespace heml
