// Sharing out a loop over small units among threads, unless there is too little to do.
#pragma once

#include "gemm.h"

namespace heml::f32 {

constexpr size_t LEAST_SHARED = size_t{1} << 15;   // elements below which waking a thread costs more than it gives

// Calls task(begin, end) on ranges that cover [0, units); `elements` is the size of the whole.
template <class Task>
void share(const Runtime& runtime, size_t units, size_t elements, const Task& task) {
    if (units == 0) return;
    if (elements < LEAST_SHARED) return task(0, units);
    runtime.executor.parallelFor(units, task);
}

}  // namespace heml::f32
