#include "plaintext.h"

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

}  // namespace heml
