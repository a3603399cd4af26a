#include "plaintext.h"

#include <cstring>

namespace heml {

Plaintext::Plaintext(NoMemory, std::shared_ptr<const Context> context, unsigned level, bool extended, unsigned logRepeat)
    : context_(std::move(context)), level_(level), extended_(extended), logRepeat_(logRepeat) {
    if (!context_) throw InvalidArgumentError("a plaintext needs a context");
    if (logRepeat >= context_->logN()) {
        throw InvalidArgumentError("logRepeat must be below logN = " + std::to_string(context_->logN()) + ", got " +
                                   std::to_string(logRepeat));
    }
}

Plaintext::Plaintext(std::shared_ptr<const Context> context, unsigned level, bool extended, unsigned logRepeat, bool secret)
    : Plaintext(NoMemory{}, std::move(context), level, extended, logRepeat) {
    poly_ = Poly(context_->pool(), limbs(), wordsPerLimb(), MemoryKind::Plaintext, secret);
}

Plaintext Plaintext::packed(std::shared_ptr<const Context> context, unsigned level, bool extended, unsigned logRepeat) {
    Plaintext made(NoMemory{}, std::move(context), level, extended, logRepeat);
    std::vector<kernel::Packing> limbs;
    for (size_t i = 0; i < made.limbs(); ++i) limbs.push_back(plaintextPacking(made.context_->modulus(made.modulusIndex(i))));
    made.packed_ = PackedPoly(made.context_->pool(), std::move(limbs), made.wordsPerLimb(), MemoryKind::Plaintext);
    return made;
}

Plaintext::Plaintext(std::shared_ptr<const Context> context, unsigned level, unsigned logRepeat, Deferred deferred)
    : context_(std::move(context)), level_(level), extended_(true), logRepeat_(logRepeat), deferred_(std::move(deferred)) {}

Poly& Plaintext::whole() {
    if (deferred()) throw InvalidArgumentError("a deferred plaintext is for linear transforms only: encode it without deferred");
    if (isPacked()) throw InvalidArgumentError("a packed plaintext is for products and sums only: encode it without packed");
    return poly_;
}

void Plaintext::copyLimb(uint64_t* out, size_t i) const {
    if (deferred())
        deferred_.maker->make(out, deferred_.integers, modulusIndex(i), logRepeat_, true);
    else if (isPacked())
        packed_.unpack(out, i, context_->kernels());
    else
        std::memcpy(out, limb(i), wordsPerLimb() * sizeof(uint64_t));
}

void Plaintext::putLimb(size_t i, const uint64_t* words) {
    if (isPacked()) return packed_.pack(i, words, context_->kernels());
    std::memcpy(limb(i), words, wordsPerLimb() * sizeof(uint64_t));
}

kernel::RepeatedLimb Plaintext::repeatedLimb(size_t i) const {
    const int logRepeat = static_cast<int>(logRepeat_);
    if (isPacked()) return {packed_.limb(i), logRepeat, packed_.packing(i)};
    return {limb(i), logRepeat};
}

}  // namespace heml
