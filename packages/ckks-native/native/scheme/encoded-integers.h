// An encoded polynomial as integers, before it has residues: what every limb is made of.
#pragma once

#include <memory>

#include "context.h"
#include "small-rings.h"
#include "special-fft.h"

namespace heml {

// The 2n coefficients of a polynomial in X^(N/2n): low, or low + 2^48 high.
struct EncodedIntegers {
    size_t count = 0;
    double largest = 0;
    bool secret = false;
    Buffer low, high;
    const double* lowValues() const { return reinterpret_cast<const double*>(low.data()); }
    const double* highValues() const { return reinterpret_cast<const double*>(high.data()); }
    size_t bytes() const { return low.bytes() + high.bytes(); }
};

// Makes limbs of them: residues, in evaluation order.
class LimbMaker {
public:
    explicit LimbMaker(std::shared_ptr<const Context> context);

    // out receives N words, or, compact, the N >> logRepeat that are stored of a polynomial in X^(2^logRepeat).
    void make(uint64_t* out, const EncodedIntegers& integers, size_t modulusIndex, unsigned logRepeat, bool compact) const;

private:
    void toResidues(uint64_t* out, uint64_t* scratch, const EncodedIntegers& integers, size_t modulusIndex) const;

    std::shared_ptr<const Context> context_;
    const EncodeKernels& kernels_;
    SmallRings smallRings_;
};

}  // namespace heml
