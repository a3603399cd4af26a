#include "packed-poly.h"

#include <cstring>
#include <utility>

namespace heml {

PackedPoly::PackedPoly(MemoryPool& pool, std::vector<kernel::Packing> limbs, size_t count, MemoryKind kind)
    : limbs_(std::move(limbs)), count_(count) {
    starts_.reserve(limbs_.size());
    for (const kernel::Packing packing : limbs_) {
        starts_.push_back(words_);
        words_ += (count * kernel::bytesPerResidue(packing) + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    }
    buffer_ = pool.allocate(words_ * sizeof(uint64_t), kind);
}

void PackedPoly::pack(size_t i, size_t at, size_t n, const uint64_t* words, const kernel::Kernels& kernels) {
    const size_t size = kernel::bytesPerResidue(limbs_[i]);
    uint8_t* out = limb(i) + at * size;
    if (limbs_[i] == kernel::Packing::words) {
        std::memcpy(out, words, n * size);
    } else if (n % kernel::LINE_WORDS != 0) {
        for (size_t k = 0; k < n; ++k) std::memcpy(out + k * size, words + k, size);
    } else {
        (limbs_[i] == kernel::Packing::four ? kernels.pack32 : kernels.pack48)(out, words, n);
    }
}

void PackedPoly::unpack(uint64_t* words, size_t i, size_t at, size_t n, const kernel::Kernels& kernels) const {
    const size_t size = kernel::bytesPerResidue(limbs_[i]);
    const uint8_t* in = limb(i) + at * size;
    if (limbs_[i] == kernel::Packing::words) {
        std::memcpy(words, in, n * size);
    } else if (n % kernel::LINE_WORDS != 0) {
        for (size_t k = 0; k < n; ++k) {
            words[k] = 0;
            std::memcpy(words + k, in + k * size, size);
        }
    } else {
        (limbs_[i] == kernel::Packing::four ? kernels.unpack32 : kernels.unpack48)(words, in, n);
    }
}

}  // namespace heml
