// Which kernels this build has, which of them this processor runs, which one is used.
// A build without an instruction set simply lacks its macro (HE_ML_HAVE_...); a processor without it
// never sees its table. HE_ML_KERNEL forces a choice; forcing what is not there is an error, so that
// a test can trust the name it asked for.

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "kernels.h"
#include "tables.h"

namespace heml::kernel {

namespace {

struct Supported {
    const Kernels* list[3];
    std::size_t count = 0;

    Supported() {
        list[count++] = &scalarKernels();
#if defined(HE_ML_HAVE_AVX2)
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) list[count++] = &avx2Kernels();
#endif
#if defined(HE_ML_HAVE_AVX512IFMA)
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vbmi")) {
            list[count++] = &avx512ifmaKernels();
        }
#endif
    }
};

const Supported& supported() {
    static const Supported instance;
    return instance;
}

const Kernels& choose() {
    const char* forced = std::getenv("HE_ML_KERNEL");
    const KernelList all = supportedKernels();
    if (forced == nullptr || *forced == '\0') return *all.first[all.count - 1];
    if (const Kernels* found = findKernels(forced)) return *found;
    std::string names;
    for (const Kernels* kernels : all) names += std::string(names.empty() ? "" : ", ") + kernels->name;
    throw std::runtime_error(std::string("HE_ML_KERNEL: expected one of ") + names + " on this processor, got \"" + forced +
                             "\"");
}

}  // namespace

KernelList supportedKernels() { return {supported().list, supported().count}; }

const Kernels* findKernels(const char* name) {
    for (const Kernels* kernels : supportedKernels()) {
        if (std::strcmp(kernels->name, name) == 0) return kernels;
    }
    return nullptr;
}

const Kernels& activeKernels() {
    static const Kernels& chosen = choose();
    return chosen;
}

}  // namespace heml::kernel
