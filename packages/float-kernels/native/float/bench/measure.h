// What both halves of float-bench share: clocks, the fastest of many calls, a job run as the addon runs it.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>

#include "runtime/scheduler.h"
#include "float/gemm.h"

namespace heml::f32::bench {

inline double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Seconds of the fastest call within `budget` seconds, after one to warm up.
inline double fastest(double budget, const std::function<void()>& work) {
    work();
    double best = 1e9;
    for (const double end = now() + budget; now() < end;) {
        const double begin = now();
        work();
        best = std::min(best, now() - begin);
    }
    return best;
}

struct Bench {
    const Kernels& kernels;
    Scheduler& scheduler;
    MemoryPool& pool;
    double budget;
    std::string only;

    bool wants(const std::string& name) const { return name.find(only) != std::string::npos; }
    // Seconds of a job on the scheduler.
    double seconds(const std::function<void(const Runtime&)>& work) const {
        const Runtime runtime{kernels, pool, scheduler};
        return fastest(budget, [&] { scheduler.wait(scheduler.submit({}, [&] { work(runtime); })); });
    }
};

}  // namespace heml::f32::bench
