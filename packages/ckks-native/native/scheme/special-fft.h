// The transform between slots and coefficients, in doubles (canonical embedding; Cheon, Kim, Kim, Song, ePrint 2016/421).
//
// A real polynomial c of degree < 2n in Y is folded to u_j = c_j + i c_(j+n); slot k is u(zeta^(5^k)), zeta =
// exp(i pi / 2n), because 5^k = 1 mod 4 makes zeta^(5^k n) = i. So u is evaluated at all roots of Y^n = i by halving:
// Y^m - w^2 = (Y^(m/2) - w)(Y^(m/2) + w), as in the NTT. At depth d the node of the slots k = k0 mod 2^d has
// w = exp(i pi 5^k0 / 2^(d+2)), whatever n is: one table of roots serves every n. The leaves come in bit-reversed k.
// The last three depths work on eight blocks of eight transposed, so every depth runs on whole vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace heml {

struct SpecialRoots {                       // at 2^d + j: depth d, node j (bit-reversed k0)
    explicit SpecialRoots(size_t maxSlots);
    std::vector<double> re, im;
};

// Loops on doubles compiled once per instruction set; all agree bit for bit.
struct EncodeKernels {
    // Coefficients u to slots in bit-reversed order, in place. n is a power of two within the table.
    void (*forward)(double* re, double* im, size_t n, const double* rootRe, const double* rootIm);
    // The reverse, times n.
    void (*inverse)(double* re, double* im, size_t n, const double* rootRe, const double* rootIm);
    // values *= factor; returns the largest |value|.
    double (*scale)(double* values, size_t n, double factor);
    // To the nearest integer, |value| < 2^51.
    void (*round)(double* values, size_t n);
    // high = round(value / 2^48), value = round(value - high 2^48): |value| < 2^99.
    void (*split)(double* high, double* values, size_t n);
    // Integers |value| < 2^51 to residues; `largest` bounds |value|.
    void (*reduce)(uint64_t* out, const double* values, size_t n, uint64_t modulus, double largest);
};

extern const EncodeKernels ENCODE_KERNELS_SCALAR, ENCODE_KERNELS_AVX2, ENCODE_KERNELS_AVX512;
const EncodeKernels& encodeKernelsFor(const char* kernelName);

}  // namespace heml
