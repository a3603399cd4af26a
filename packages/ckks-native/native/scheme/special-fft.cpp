#include "special-fft.h"

#include <cmath>
#include <cstring>

#include "special-fft-body.h"
#include "vector-files.h"

namespace heml {

const EncodeKernels ENCODE_KERNELS_SCALAR = HEML_ENCODE_KERNELS;

const EncodeKernels& encodeKernelsFor(const char* kernelName) {
#ifdef HEML_VECTOR_FILES
    if (std::strcmp(kernelName, "avx512ifma") == 0) return ENCODE_KERNELS_AVX512;
    if (std::strcmp(kernelName, "avx2") == 0) return ENCODE_KERNELS_AVX2;
#endif
    (void)kernelName;
    return ENCODE_KERNELS_SCALAR;
}

// Long double and exact reduction of the exponent: every root is correctly rounded but for rare ties.
SpecialRoots::SpecialRoots(size_t maxSlots) : re(maxSlots), im(maxSlots) {
    const long double pi = std::acos(-1.0L);
    for (size_t count = 1, depth = 0; count < maxSlots; count *= 2, ++depth) {
        const size_t order = 8 * count;                            // w = exp(2 pi i 5^k0 / order)
        size_t power = 1;
        for (size_t k = 0; k < count; ++k) {
            size_t node = 0;
            for (size_t bit = 0; bit < depth; ++bit) node |= (k >> bit & 1) << (depth - 1 - bit);
            const long double angle = 2 * pi * static_cast<long double>(power) / static_cast<long double>(order);
            re[count + node] = static_cast<double>(std::cos(angle));
            im[count + node] = static_cast<double>(std::sin(angle));
            power = 5 * power % order;
        }
    }
}

}  // namespace heml
