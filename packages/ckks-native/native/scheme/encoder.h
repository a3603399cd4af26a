// Slots to plaintexts and back.
//
// encode: inverse special FFT (special-fft.h), times scale / n, rounding to integers, residues, NTT. A vector of n < N/2
// slots stands for itself repeated N/2n times: its polynomial is one in X^(N/2n), made in a smaller ring and stored once
// (Plaintext::logRepeat). Integers up to 2^99 are exact to the 53 bits of a double: above 2^51 a value is split at 2^48.
// decode: residues of the first few limbs to centred integers in mixed radix (at least 128 bits, or all limbs there are;
// larger messages cannot be told from wrapped ones), forward FFT, divided by the scale. For n < N/2 only the coefficients
// at multiples of N/2n count: the noise of the others is left out.
// Imaginary parts may be absent: nullptr encodes real vectors and decodes real parts.
#pragma once

#include "runtime/executor.h"
#include "plaintext.h"
#include "special-fft.h"

namespace heml {

struct EncodeOptions {
    bool extended = false;      // special limbs too
    bool compact = true;        // store a periodic vector once; false: every limb has N words
    bool secret = false;        // a client's values: every buffer on the way is wiped and locked
    bool deferred = false;      // for linear transforms: limbs are made when they are used (Plaintext)
    bool packed = false;        // only to be multiplied and added: primes below 2^32 take half the memory (Plaintext)
};

class Encoder {
public:
    explicit Encoder(std::shared_ptr<const Context> context);

    const std::shared_ptr<const Context>& context() const { return context_; }

    // n a power of two up to N/2. Throws InvalidArgumentError: bad n or scale, NaN or infinity (with its index), a value
    // too large for the modulus of the level at this scale; LevelError.
    Plaintext encode(const double* re, const double* im, size_t n, unsigned level, double scale,
                     const EncodeOptions& options = {}) const;
    Plaintext encode(const double* re, const double* im, size_t n, unsigned level, double scale, const EncodeOptions& options,
                     Executor& executor) const;

    // re (and im, unless nullptr) receive n values.
    void decode(double* re, double* im, size_t n, const Plaintext& plaintext, double scale) const;
    void decode(double* re, double* im, size_t n, const Plaintext& plaintext, double scale, Executor& executor) const;

private:
    void checkSlots(size_t n, double scale) const;
    EncodedIntegers toIntegers(const double* re, const double* im, size_t n, unsigned level, double scale,
                               const EncodeOptions& options) const;

    std::shared_ptr<const Context> context_;
    const EncodeKernels& kernels_;
    SpecialRoots roots_;
    std::shared_ptr<const LimbMaker> limbs_;
};

// Sum of log2 of the first `limbs` q primes.
double logModulus(const Context& context, size_t limbs);

}  // namespace heml
