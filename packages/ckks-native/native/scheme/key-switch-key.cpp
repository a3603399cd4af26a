#include "key-switch-key.h"

namespace heml {

namespace {

// Of a packed limb of n residues.
constexpr size_t packedWords(size_t n) { return n / 8 * 6; }

}  // namespace

KeySwitchKey::KeySwitchKey(std::shared_ptr<const Context> context, unsigned level, uint32_t galoisElement, bool packed)
    : context_(std::move(context)), level_(level), galoisElement_(galoisElement), packed_(packed) {
    if (!context_) throw InvalidArgumentError("a key needs a context");
    const uint64_t order = 2 * context_->ringDegree();
    if (galoisElement != RELINEARIZATION && (galoisElement % 2 == 0 || galoisElement >= order)) {
        throw InvalidArgumentError("a Galois element is odd and below 2N = " + std::to_string(order) + ", got " +
                                   std::to_string(galoisElement));
    }
    digits_ = context_->digitsAt(level);
    const size_t n = context_->ringDegree();
    poly_ = Poly(context_->pool(), targets() * digits_ * 2, packed ? packedWords(n) : n, MemoryKind::Key);
}

Poly& KeySwitchKey::unpacked() {
    if (packed_) throw InvalidArgumentError("this key is packed: unpack it first");
    return poly_;
}

uint8_t* KeySwitchKey::packedLimb(size_t target, size_t digit, Half half) {
    if (!packed_) throw InvalidArgumentError("this key is not packed");
    return reinterpret_cast<uint8_t*>(poly_.limb(index(target, digit, half)));
}

void KeySwitchKey::pack(Executor& executor) {
    if (packed_ || !context_) return;
    const size_t n = context_->ringDegree();
    Poly out(context_->pool(), poly_.limbs(), packedWords(n), MemoryKind::Key);
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
