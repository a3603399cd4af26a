#include "special-fft.h"
#include "vector-files.h"

#ifdef HEML_VECTOR_FILES
#pragma GCC target("avx2")
#include "special-fft-body.h"

namespace heml {
const EncodeKernels ENCODE_KERNELS_AVX2 = HEML_ENCODE_KERNELS;
}
#endif
