// C = alpha op(A) op(B) + beta C, row-major f32.
#pragma once

#include <cstddef>

#include "runtime/executor.h"
#include "runtime/memory-pool.h"
#include "kernels.h"

namespace heml::f32 {

struct GemmJob {
    size_t m, n, k;
    const float* a;             // m x k, or k x m when transposed
    const float* b;             // k x n, or n x k when transposed
    float* c;                   // m x n; may not overlap a or b
    bool transposeA = false, transposeB = false;
    float alpha = 1, beta = 0;  // beta 0: c is not read
};

// Where threads, memory and inner loops come from.
struct Runtime {
    const Kernels& kernels;
    MemoryPool& pool;
    Executor& executor;
};

// Each element is summed over k ascending in blocks of BLOCK: c = alpha * block0 + beta * c, then c += alpha * block1, ...
// Scratch: at most 8 MB. Throws MemoryError.
void gemm(const GemmJob& job, const Runtime& runtime);

}  // namespace heml::f32
