// Which kernels this build has and this processor runs; a build without an instruction set lacks its macro.
#include <cstring>

#include "kernels.h"

namespace heml::f32 {

namespace {

struct Supported {
    const Kernels* list[3];
    size_t count = 0;

    Supported() {
        list[count++] = &scalarKernels();
#if defined(HE_ML_FLOAT_AVX2)
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) list[count++] = &avx2Kernels();
#endif
#if defined(HE_ML_FLOAT_AVX512)
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma")) list[count++] = &avx512Kernels();
#endif
    }
};

}  // namespace

KernelList supportedKernels() {
    static const Supported instance;
    return {instance.list, instance.count};
}

const Kernels* findKernels(const char* name) {
    for (const Kernels* kernels : supportedKernels()) {
        if (std::strcmp(kernels->name, name) == 0) return kernels;
    }
    return nullptr;
}

}  // namespace heml::f32
