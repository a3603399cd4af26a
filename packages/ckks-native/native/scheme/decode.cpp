#include <algorithm>
#include <cmath>

#include "bit-reversal.h"
#include "encoder.h"
#include "mixed-radix.h"

namespace heml {

namespace {

constexpr double DECODE_BITS = 128;
// Bits above the scale that a value may take.
constexpr double VALUE_BITS = 64;
constexpr size_t GRAIN = 4096;

// As many limbs as hold DECODE_BITS, or values of VALUE_BITS at a larger scale, or all.
size_t limbsToDecode(const Context& context, size_t limbs, double scale) {
    const double bits = std::max(DECODE_BITS, std::log2(scale) + VALUE_BITS);
    size_t wanted = 1;
    while (wanted < limbs && logModulus(context, wanted) < bits) ++wanted;
    return wanted;
}

}  // namespace

void Encoder::decode(double* re, double* im, size_t n, const Plaintext& plaintext, double scale, Executor& executor) const {
    checkSlots(n, scale);
    if (!plaintext.context() || !plaintext.context()->sameAs(*context_)) {
        throw ParameterMismatchError("decode: the plaintext belongs to other parameters than the encoder");
    }
    const size_t degree = context_->ringDegree();
    const size_t limbs = limbsToDecode(*context_, plaintext.qLimbs(), scale);
    MemoryPool& pool = context_->pool();
    Poly coefficients(pool, limbs, degree, MemoryKind::Scratch, true);
    executor.parallelFor(limbs, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            const uint64_t* stored = plaintext.limb(i);
            uint64_t* out = coefficients.limb(i);
            if (plaintext.logRepeat() != 0) {
                const size_t repeats = size_t{1} << plaintext.logRepeat();
                for (size_t w = 0; w < plaintext.wordsPerLimb(); ++w) std::fill_n(out + w * repeats, repeats, stored[w]);
                stored = out;
            }
            context_->kernels().nttInverse(out, stored, context_->tables(i));
        }
    });

    Buffer work = pool.allocate(2 * n * sizeof(double), MemoryKind::Scratch, true);
    double* values = reinterpret_cast<double*>(work.data());
    const MixedRadix radix(*context_, limbs);
    std::vector<const uint64_t*> residues(limbs);
    for (size_t i = 0; i < limbs; ++i) residues[i] = coefficients.limb(i);
    const size_t gap = degree / (2 * n);
    executor.parallelFor((2 * n + GRAIN - 1) / GRAIN, [&](size_t begin, size_t end) {
        const size_t first = begin * GRAIN;
        radix.values(values + first, residues.data(), first, std::min(end * GRAIN, 2 * n) - first, gap);
    });
    double* imaginary = values + n;
    kernels_.forward(values, imaginary, n, roots_.re.data(), roots_.im.data());
    kernels_.scale(values, 2 * n, 1 / scale);
    // Reversal is its own inverse: gathered, for scattered stores would wait for their lines.
    if (im != nullptr) {
        forBitReversed(n, [&](size_t k, size_t i) { re[k] = values[i], im[k] = imaginary[i]; });
    } else {
        forBitReversed(n, [&](size_t k, size_t i) { re[k] = values[i]; });
    }
}

void Encoder::decode(double* re, double* im, size_t n, const Plaintext& plaintext, double scale) const {
    SerialExecutor serial;
    decode(re, im, n, plaintext, scale, serial);
}

}  // namespace heml
