#include "key-switch-key.h"

namespace heml {

KeySwitchKey::KeySwitchKey(std::shared_ptr<const Context> context, unsigned level, uint32_t galoisElement)
    : context_(std::move(context)), level_(level), galoisElement_(galoisElement) {
    if (!context_) throw InvalidArgumentError("a key needs a context");
    const uint64_t order = 2 * context_->ringDegree();
    if (galoisElement != RELINEARIZATION && (galoisElement % 2 == 0 || galoisElement >= order)) {
        throw InvalidArgumentError("a Galois element is odd and below 2N = " + std::to_string(order) + ", got " +
                                   std::to_string(galoisElement));
    }
    digits_ = context_->digitsAt(level);
    poly_ = Poly(context_->pool(), targets() * digits_ * 2, context_->ringDegree(), MemoryKind::Key);
}

}  // namespace heml
