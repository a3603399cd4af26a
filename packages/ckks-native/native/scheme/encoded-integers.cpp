#include "encoded-integers.h"

#include <algorithm>
#include <cstring>

namespace heml {

namespace {

constexpr unsigned MIN_LOG_SMALL = 10;      // the smallest ring the kernels know

}  // namespace

LimbMaker::LimbMaker(std::shared_ptr<const Context> context)
    : context_(std::move(context)), kernels_(encodeKernelsFor(context_->kernels().name)), smallRings_(context_) {}

// `scratch` holds as many words as `out`; used by split integers only.
void LimbMaker::toResidues(uint64_t* out, uint64_t* scratch, const EncodedIntegers& integers, size_t modulusIndex) const {
    const kernel::Modulus& modulus = context_->modulus(modulusIndex);
    const size_t count = integers.count;
    if (!integers.high) {
        kernels_.reduce(out, integers.lowValues(), count, modulus.value, integers.largest + 1);
        return;
    }
    kernels_.reduce(out, integers.lowValues(), count, modulus.value, 0x1p48);
    kernels_.reduce(scratch, integers.highValues(), count, modulus.value, integers.largest * 0x1p-48 + 1);
    const uint64_t factor = kernel::powMod(2, 48, modulus);
    for (size_t i = 0; i < count % kernel::LINE_WORDS; ++i) {
        out[i] = kernel::addMod(out[i], kernel::mulMod(scratch[i], factor, modulus), modulus);
    }
    if (count >= kernel::LINE_WORDS) context_->kernels().mulScalarAdd(out, scratch, factor, count, modulus);
}

void LimbMaker::make(uint64_t* out, const EncodedIntegers& integers, size_t modulusIndex, unsigned logRepeat,
                     bool compact) const {
    const kernel::Kernels& kernels = context_->kernels();
    MemoryPool& pool = context_->pool();
    const size_t count = integers.count;
    if (logRepeat == 0) {
        Buffer scratch = integers.high ? pool.allocate(count * sizeof(uint64_t), MemoryKind::Scratch, integers.secret) : Buffer();
        toResidues(out, scratch.data(), integers, modulusIndex);
        kernels.nttForward(out, out, context_->tables(modulusIndex));
        return;
    }
    // In the ring of degree M >= 2n that the kernels can transform, then every (M / 2n)-th value.
    const unsigned logM = std::max(context_->logN() - logRepeat, std::min(MIN_LOG_SMALL, context_->logN()));
    const size_t degree = size_t{1} << logM;
    const size_t stride = degree / count;
    Buffer work = pool.allocate(3 * degree * sizeof(uint64_t), MemoryKind::Scratch, integers.secret);
    uint64_t* spread = work.data();
    uint64_t* values = spread + degree;
    uint64_t* residues = values + degree;
    if (stride == 1) {
        toResidues(spread, values, integers, modulusIndex);
    } else {
        toResidues(residues, values, integers, modulusIndex);
        std::memset(spread, 0, degree * sizeof(uint64_t));
        for (size_t i = 0; i < count; ++i) spread[i * stride] = residues[i];
    }
    const bool direct = stride == 1 && compact;
    uint64_t* made = direct ? out : values;
    const bool whole = logM == context_->logN();
    kernels.nttForward(made, spread, whole ? context_->tables(modulusIndex) : smallRings_.at(modulusIndex, logM));
    if (direct) return;
    const size_t repeats = compact ? 1 : size_t{1} << logRepeat;
    for (size_t i = 0; i < count; ++i) std::fill_n(out + i * repeats, repeats, values[i * stride]);
}

}  // namespace heml
