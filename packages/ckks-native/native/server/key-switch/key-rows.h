// Rows of a product with a key: what a key switch adds up.
#pragma once

#include <vector>

#include "scheme/context.h"
#include "scheme/key-switch-key.h"

namespace heml {

// A key's limbs modulo one prime.
class KeyLimbs {
public:
    KeyLimbs(const Context& context, const KeySwitchKey& key, size_t digits, size_t modulus);

    const kernel::KeyLimb* half(unsigned half) const { return limbs_[half].data(); }
    kernel::Packing packing() const { return packing_; }
    // Residues [begin, end) of a limb.
    kernel::MemoryRun run(size_t digit, unsigned half, size_t begin, size_t end) const;

private:
    std::vector<kernel::KeyLimb> limbs_[2];
    kernel::Packing packing_;
};

// Where the rows of an automorphism's input go: for each run of `rows` entries, where the run that is made of it begins. nullptr:
// nothing moves.
std::vector<size_t> rowPlaces(const kernel::AutomorphismTable* automorphism, size_t degree, size_t rows);

}  // namespace heml
