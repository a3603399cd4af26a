#include "special-fft.h"
#include "vector-files.h"

#ifdef HEML_VECTOR_FILES
#pragma GCC target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")
#include "special-fft-body.h"

namespace heml {
const EncodeKernels ENCODE_KERNELS_AVX512 = HEML_ENCODE_KERNELS;
}
#endif
