#include "encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "bit-reversal.h"

namespace heml {

namespace {

constexpr double SINGLE_LIMIT = 0x1p51;     // above: split in two
constexpr double SPLIT_LIMIT = 0x1p99;
constexpr double INPUT_LIMIT = 1e250;       // far from overflow inside the transform
constexpr unsigned MIN_LOG_SMALL = 10;      // the smallest ring the kernels know

void checkFinite(const double* values, size_t n, const char* part) {
    if (values == nullptr) return;
    for (size_t i = 0; i < n; ++i) {
        if (!std::isfinite(values[i])) {
            throw InvalidArgumentError(std::string("encode: the ") + part + " part of slot " + std::to_string(i) + " is " +
                                       (std::isnan(values[i]) ? "NaN" : "infinite"));
        }
        if (std::abs(values[i]) > INPUT_LIMIT) {
            throw InvalidArgumentError("encode: value too large for scale: slot " + std::to_string(i));
        }
    }
}

unsigned logOf(size_t powerOfTwo) { return static_cast<unsigned>(std::countr_zero(powerOfTwo)); }

}  // namespace

double logModulus(const Context& context, size_t limbs) {
    double bits = 0;
    for (size_t i = 0; i < limbs; ++i) bits += std::log2(static_cast<double>(context.modulus(i).value));
    return bits;
}

// The 2n coefficients of the polynomial in X^(N/2n): low, or low + 2^48 high.
struct Encoder::Integers {
    size_t count;
    double largest;
    bool secret;
    Buffer low, high;
    const double* lowValues() const { return reinterpret_cast<const double*>(low.data()); }
    const double* highValues() const { return reinterpret_cast<const double*>(high.data()); }
};

Encoder::Encoder(std::shared_ptr<const Context> context)
    : context_(std::move(context)),
      kernels_(encodeKernelsFor(context_->kernels().name)),
      roots_(context_->slots()),
      smallRings_(context_) {}

void Encoder::checkSlots(size_t n, double scale) const {
    if (!std::has_single_bit(n) || n > context_->slots()) {
        throw InvalidArgumentError("the number of slots must be a power of two up to " + std::to_string(context_->slots()) +
                                   ", got " + std::to_string(n));
    }
    if (!(scale > 0) || !std::isfinite(scale)) {
        throw InvalidArgumentError("the scale must be a positive number, got " + std::to_string(scale));
    }
}

Encoder::Integers Encoder::toIntegers(const double* re, const double* im, size_t n, unsigned level, double scale,
                                      bool secret) const {
    MemoryPool& pool = context_->pool();
    Integers integers{2 * n, 0, secret, pool.allocate(2 * n * sizeof(double), MemoryKind::Scratch, secret), {}};
    double* values = reinterpret_cast<double*>(integers.low.data());
    double* imaginary = values + n;
    if (im != nullptr) {
        forBitReversed(n, [&](size_t i, size_t k) { values[i] = re[k], imaginary[i] = im[k]; });
    } else {
        forBitReversed(n, [&](size_t i, size_t k) { values[i] = re[k], imaginary[i] = 0; });
    }
    kernels_.inverse(values, imaginary, n, roots_.re.data(), roots_.im.data());
    integers.largest = kernels_.scale(values, 2 * n, scale / static_cast<double>(n));

    const double room = logModulus(*context_, context_->limbsAt(level)) - 1;
    if (!(integers.largest < SPLIT_LIMIT) || std::log2(integers.largest + 1) >= room) {
        throw InvalidArgumentError("encode: value too large for scale: a coefficient needs " +
                                   std::to_string(std::log2(integers.largest + 1)) + " bits at scale 2^" +
                                   std::to_string(std::log2(scale)) + ", level " + std::to_string(level) + " holds " +
                                   std::to_string(std::min(room, std::log2(SPLIT_LIMIT))) +
                                   ": lower the scale, raise the level or scale the values down");
    }
    if (integers.largest < SINGLE_LIMIT) {
        kernels_.round(values, 2 * n);
    } else {
        integers.high = pool.allocate(2 * n * sizeof(double), MemoryKind::Scratch, secret);
        kernels_.split(reinterpret_cast<double*>(integers.high.data()), values, 2 * n);
    }
    return integers;
}

// `scratch` holds as many words as `out`; used by split integers only.
void Encoder::toResidues(uint64_t* out, uint64_t* scratch, const Integers& integers, size_t modulusIndex) const {
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

void Encoder::encodeLimb(uint64_t* out, const Integers& integers, size_t modulusIndex, unsigned logRepeat, bool compact) const {
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
    toResidues(residues, values, integers, modulusIndex);
    if (stride > 1) std::memset(spread, 0, degree * sizeof(uint64_t));
    for (size_t i = 0; i < count; ++i) spread[i * stride] = residues[i];
    if (logM == context_->logN()) {
        kernels.nttForward(values, spread, context_->tables(modulusIndex));
    } else {
        const SmallRing& ring = smallRings_.at(modulusIndex, logM);
        kernels.nttForward(spread, spread, ring.tables);
        kernels.permute(values, spread, ring.reorder, 0, degree);
    }
    const size_t repeats = compact ? 1 : size_t{1} << logRepeat;
    for (size_t i = 0; i < count; ++i) std::fill_n(out + i * repeats, repeats, values[i * stride]);
}

Plaintext Encoder::encode(const double* re, const double* im, size_t n, unsigned level, double scale,
                          const EncodeOptions& options, Executor& executor) const {
    checkSlots(n, scale);
    checkFinite(re, n, "real");
    checkFinite(im, n, "imaginary");
    const unsigned logRepeat = logOf(context_->slots() / n);
    Plaintext plaintext(context_, level, options.extended, options.compact ? logRepeat : 0, options.secret);
    const Integers integers = toIntegers(re, im, n, level, scale, options.secret);
    executor.parallelFor(plaintext.limbs(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            encodeLimb(plaintext.limb(i), integers, plaintext.modulusIndex(i), logRepeat, options.compact);
        }
    });
    return plaintext;
}

Plaintext Encoder::encode(const double* re, const double* im, size_t n, unsigned level, double scale,
                          const EncodeOptions& options) const {
    SerialExecutor serial;
    return encode(re, im, n, level, scale, options, serial);
}

}  // namespace heml
