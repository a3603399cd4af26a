// c_0 + c_1 s (+ c_2 s^2) at a level: degree + 1 polynomials of limbsAt(level) limbs in evaluation order. The scale is
// the caller's business. A new ciphertext is uninitialised memory.
#pragma once

#include <array>
#include <memory>

#include "context.h"
#include "poly.h"

namespace heml {

class Ciphertext {
public:
    static constexpr unsigned MAX_DEGREE = 2;

    Ciphertext() = default;
    Ciphertext(std::shared_ptr<const Context> context, unsigned level, unsigned degree = 1);

    const std::shared_ptr<const Context>& context() const { return context_; }
    unsigned level() const { return level_; }
    unsigned degree() const { return degree_; }
    size_t limbs() const { return polys_[0].limbs(); }
    size_t bytes() const;

    Poly& poly(unsigned i) { return polys_[i]; }
    const Poly& poly(unsigned i) const { return polys_[i]; }
    uint64_t* limb(unsigned poly, size_t i) { return polys_[poly].limb(i); }
    const uint64_t* limb(unsigned poly, size_t i) const { return polys_[poly].limb(i); }

    Ciphertext clone() const;
    bool transparent() const;                 // c_1 (and c_2) are zero: readable without the key

private:
    std::shared_ptr<const Context> context_;
    unsigned level_ = 0;
    unsigned degree_ = 0;
    std::array<Poly, MAX_DEGREE + 1> polys_;
};

}  // namespace heml
