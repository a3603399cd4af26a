#include "plaintext.h"

#include <cstring>

namespace heml {

Plaintext::Plaintext(std::shared_ptr<const Context> context, unsigned level, bool extended, unsigned logRepeat, bool secret)
    : context_(std::move(context)), level_(level), extended_(extended), logRepeat_(logRepeat) {
    if (!context_) throw InvalidArgumentError("a plaintext needs a context");
    if (logRepeat >= context_->logN()) {
        throw InvalidArgumentError("logRepeat must be below logN = " + std::to_string(context_->logN()) + ", got " +
                                   std::to_string(logRepeat));
    }
    const size_t limbs = context_->limbsAt(level) + (extended ? context_->specialLimbs() : 0);
    poly_ = Poly(context_->pool(), limbs, context_->ringDegree() >> logRepeat, MemoryKind::Plaintext, secret);
}

Plaintext::Plaintext(std::shared_ptr<const Context> context, unsigned level, unsigned logRepeat, Deferred deferred)
    : context_(std::move(context)), level_(level), extended_(true), logRepeat_(logRepeat), deferred_(std::move(deferred)) {}

Poly& Plaintext::whole() {
    if (deferred()) throw InvalidArgumentError("a deferred plaintext is for linear transforms only: encode it without deferred");
    return poly_;
}

void Plaintext::copyLimb(uint64_t* out, size_t i) const {
    if (deferred())
        deferred_.maker->make(out, deferred_.integers, modulusIndex(i), logRepeat_, true);
    else
        std::memcpy(out, limb(i), wordsPerLimb() * sizeof(uint64_t));
}

}  // namespace heml
