#include "key-switch-key.h"

#include <cstring>

namespace heml {

KeySwitchKey::KeySwitchKey(std::shared_ptr<const Context> context, unsigned level, uint32_t galoisElement, bool packed)
    : context_(std::move(context)), level_(level), galoisElement_(galoisElement) {
    if (!context_) throw InvalidArgumentError("a key needs a context");
    const uint64_t order = 2 * context_->ringDegree();
    if (galoisElement != RELINEARIZATION && (galoisElement % 2 == 0 || galoisElement >= order)) {
        throw InvalidArgumentError("a Galois element is odd and below 2N = " + std::to_string(order) + ", got " +
                                   std::to_string(galoisElement));
    }
    digits_ = context_->digitsAt(level);
    if (packed) {
        packed_ = packedMemory();
    } else {
        poly_ = Poly(context_->pool(), targets() * digits_ * 2, context_->ringDegree(), MemoryKind::Key);
    }
}

PackedPoly KeySwitchKey::packedMemory() const {
    std::vector<kernel::Packing> limbs;
    for (size_t t = 0; t < targets(); ++t) limbs.insert(limbs.end(), digits_ * 2, keyPacking(context_->modulus(modulusIndex(t))));
    return PackedPoly(context_->pool(), std::move(limbs), context_->ringDegree(), MemoryKind::Key);
}

Poly& KeySwitchKey::unpacked() {
    if (packed()) throw InvalidArgumentError("this key is packed: unpack it first");
    return poly_;
}

void KeySwitchKey::putResidues(size_t target, size_t digit, Half half, size_t at, size_t n, const uint64_t* words) {
    const size_t i = index(target, digit, half);
    if (packed()) return packed_.pack(i, at, n, words, context_->kernels());
    std::memcpy(poly_.limb(i) + at, words, n * sizeof(uint64_t));
}

bool KeySwitchKey::putPacked48(size_t target, size_t digit, Half half, const uint8_t* bytes) {
    const kernel::Modulus& modulus = context_->modulus(modulusIndex(target));
    if (packing(target) != kernel::Packing::six) return false;
    return context_->kernels().checkedCopy48(packed_.limb(index(target, digit, half)), bytes, context_->ringDegree(), modulus);
}

void KeySwitchKey::takeResidues(uint64_t* words, size_t target, size_t digit, Half half, size_t at, size_t n) const {
    const size_t i = index(target, digit, half);
    if (packed()) return packed_.unpack(words, i, at, n, context_->kernels());
    std::memcpy(words, poly_.limb(i) + at, n * sizeof(uint64_t));
}

void KeySwitchKey::pack(Executor& executor) {
    if (packed() || !context_) return;
    PackedPoly out = packedMemory();
    executor.parallelFor(poly_.limbs(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) out.pack(i, poly_.limb(i), context_->kernels());
    });
    packed_ = std::move(out);
    poly_ = Poly();
}

void KeySwitchKey::unpack(Executor& executor) {
    if (!packed()) return;
    Poly out(context_->pool(), packed_.limbs(), context_->ringDegree(), MemoryKind::Key);
    executor.parallelFor(out.limbs(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) packed_.unpack(out.limb(i), i, context_->kernels());
    });
    poly_ = std::move(out);
    packed_ = PackedPoly();
}

}  // namespace heml
