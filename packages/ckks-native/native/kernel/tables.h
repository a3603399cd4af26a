#pragma once
// The per-instruction-set tables; only dispatch.cpp may call the last two, after asking the processor.

#include "kernels.h"

namespace heml::kernel {

#if defined(HE_ML_HAVE_AVX2)
const Kernels& avx2Kernels();
#endif
#if defined(HE_ML_HAVE_AVX512IFMA)
const Kernels& avx512ifmaKernels();
#endif

}  // namespace heml::kernel
