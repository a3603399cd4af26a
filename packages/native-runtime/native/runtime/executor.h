// How an operation uses several threads without knowing whose they are. The scheduler implements Executor with its
// workers; SerialExecutor runs everything on the caller. Results never depend on how a range is cut.
#pragma once

#include <cstddef>
#include <functional>

namespace heml {

class Executor {
public:
    using Task = std::function<void(size_t begin, size_t end)>;
    virtual ~Executor() = default;

    // Calls task on disjoint ranges that cover [0, count), perhaps at once on several threads; returns when all are
    // done. The first exception thrown by a task is thrown here.
    virtual void parallelFor(size_t count, const Task& task) = 0;

    // Threads that may run at once: a hint for how finely to cut.
    virtual unsigned width() const { return 1; }
};

class SerialExecutor final : public Executor {
public:
    void parallelFor(size_t count, const Task& task) override {
        if (count != 0) task(0, count);
    }
};

}  // namespace heml
