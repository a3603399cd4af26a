#include "special-fft.h"

#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")
#include "special-fft-body.h"

namespace heml {
const EncodeKernels ENCODE_KERNELS_AVX512 = HEML_ENCODE_KERNELS;
}
#endif
