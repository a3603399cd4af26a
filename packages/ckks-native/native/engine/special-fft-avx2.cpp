#include "special-fft.h"

#if defined(__x86_64__)
#pragma GCC target("avx2")
#include "special-fft-body.h"

namespace heml {
const EncodeKernels ENCODE_KERNELS_AVX2 = HEML_ENCODE_KERNELS;
}
#endif
