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

Encoder::Encoder(std::shared_ptr<const Context> context)
    : context_(std::move(context)),
      kernels_(encodeKernelsFor(context_->kernels().name)),
      roots_(context_->slots()),
      limbs_(std::make_shared<const LimbMaker>(context_)) {}

void Encoder::checkSlots(size_t n, double scale) const {
    if (!std::has_single_bit(n) || n > context_->slots()) {
        throw InvalidArgumentError("the number of slots must be a power of two up to " + std::to_string(context_->slots()) +
                                   ", got " + std::to_string(n));
    }
    if (!(scale > 0) || !std::isfinite(scale)) {
        throw InvalidArgumentError("the scale must be a positive number, got " + std::to_string(scale));
    }
}

EncodedIntegers Encoder::toIntegers(const double* re, const double* im, size_t n, unsigned level, double scale,
                                    const EncodeOptions& options) const {
    MemoryPool& pool = context_->pool();
    const MemoryKind kind = options.deferred ? MemoryKind::Plaintext : MemoryKind::Scratch;
    const bool secret = options.secret;
    EncodedIntegers integers{2 * n, 0, secret, pool.allocate(2 * n * sizeof(double), kind, secret), {}};
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
        integers.high = pool.allocate(2 * n * sizeof(double), kind, secret);
        kernels_.split(reinterpret_cast<double*>(integers.high.data()), values, 2 * n);
    }
    return integers;
}

Plaintext Encoder::encode(const double* re, const double* im, size_t n, unsigned level, double scale,
                          const EncodeOptions& options, Executor& executor) const {
    checkSlots(n, scale);
    checkFinite(re, n, "real");
    checkFinite(im, n, "imaginary");
    const unsigned logRepeat = logOf(context_->slots() / n);
    EncodedIntegers integers = toIntegers(re, im, n, level, scale, options);
    if (options.deferred) return Plaintext(context_, level, logRepeat, {limbs_, std::move(integers)});
    if (options.secret && options.packed) throw InvalidArgumentError("encode: a secret plaintext is not packed");
    const unsigned stored = options.compact ? logRepeat : 0;
    Plaintext plaintext = options.packed ? Plaintext::packed(context_, level, options.extended, stored)
                                         : Plaintext(context_, level, options.extended, stored, options.secret);
    executor.parallelFor(plaintext.limbs(), [&](size_t begin, size_t end) {
        Poly words;   // a packed limb's, while they are in the cache
        if (options.packed) words = Poly(context_->pool(), 1, plaintext.wordsPerLimb(), MemoryKind::Scratch);
        for (size_t i = begin; i < end; ++i) {
            uint64_t* limb = options.packed ? words.limb(0) : plaintext.limb(i);
            limbs_->make(limb, integers, plaintext.modulusIndex(i), logRepeat, options.compact);
            if (options.packed) plaintext.putLimb(i, limb);
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
