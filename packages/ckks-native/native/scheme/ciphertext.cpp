#include "ciphertext.h"

#include <algorithm>

namespace heml {

Ciphertext::Ciphertext(std::shared_ptr<const Context> context, unsigned level, unsigned degree)
    : context_(std::move(context)), level_(level), degree_(degree) {
    if (!context_) throw InvalidArgumentError("a ciphertext needs a context");
    if (degree < 1 || degree > MAX_DEGREE) {
        throw DegreeError("a ciphertext has degree 1 or 2, got " + std::to_string(degree));
    }
    const size_t limbs = context_->limbsAt(level);
    for (unsigned i = 0; i <= degree; ++i) {
        polys_[i] = Poly(context_->pool(), limbs, context_->ringDegree(), MemoryKind::Ciphertext);
    }
}

size_t Ciphertext::bytes() const {
    size_t sum = 0;
    for (const Poly& poly : polys_) sum += poly.bytes();
    return sum;
}

Ciphertext Ciphertext::clone() const {
    Ciphertext copy(context_, level_, degree_);
    for (unsigned i = 0; i <= degree_; ++i) std::memcpy(copy.polys_[i].limb(0), polys_[i].limb(0), polys_[i].bytes());
    return copy;
}

bool Ciphertext::transparent() const {
    for (unsigned i = 1; i <= degree_; ++i) {
        const uint64_t* words = polys_[i].limb(0);
        const size_t count = polys_[i].bytes() / sizeof(uint64_t);
        if (std::any_of(words, words + count, [](uint64_t w) { return w != 0; })) return false;
    }
    return true;
}

}  // namespace heml
