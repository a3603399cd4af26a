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

Poly& KeySwitchKey::unpacked() {
    if (packed_) throw InvalidArgumentError("this key is packed: unpack it first");
    return poly_;
}

void KeySwitchKey::pack(Executor& executor) {
    if (packed_ || !context_) return;
    const size_t n = context_->ringDegree();
    Poly out(context_->pool(), poly_.limbs(), n / 8 * 6, MemoryKind::Key);
    executor.parallelFor(poly_.limbs(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            context_->kernels().pack48(reinterpret_cast<uint8_t*>(out.limb(i)), poly_.limb(i), n);
        }
    });
    poly_ = std::move(out);
    packed_ = true;
}

void KeySwitchKey::unpack(Executor& executor) {
    if (!packed_) return;
    const size_t n = context_->ringDegree();
    Poly out(context_->pool(), poly_.limbs(), n, MemoryKind::Key);
    executor.parallelFor(poly_.limbs(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            context_->kernels().unpack48(out.limb(i), reinterpret_cast<const uint8_t*>(poly_.limb(i)), n);
        }
    });
    poly_ = std::move(out);
    packed_ = false;
}

}  // namespace heml
