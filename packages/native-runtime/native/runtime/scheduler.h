// The engine's own threads: operations in dependency order, and loops inside them that idle threads help with.
//
// submit() names the nodes an operation reads and returns the node it makes. A node runs once its inputs are done; among
// those that are ready the oldest submission goes first, so a graph submitted chain by chain is worked depth first and
// few intermediate results live at a time. A node that throws fails, and everything that depends on it fails with the
// very same error. An idle thread prefers helping an open parallelFor to starting another operation.
// Above the memory ceiling no operation starts while another runs; when none runs the oldest starts regardless, so the
// ceiling delays but cannot deadlock. Threads spin for some microseconds after work (loops come in bursts), then sleep.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "executor.h"
#include "memory-pool.h"

namespace heml {

class Scheduler;

enum class NodeState : unsigned { Waiting, Ready, Running, Done, Failed };

// One submitted operation. Results live in whatever the work closure writes to; a node only says when and whether.
class Node {
public:
    // Called once with nullptr (done) or the error. Must not throw.
    using Callback = std::function<void(std::exception_ptr)>;

    NodeState state() const { return state_.load(std::memory_order_acquire); }
    bool settled() const { return state() >= NodeState::Done; }
    std::exception_ptr error() const { return state() == NodeState::Failed ? error_ : nullptr; }
    uint64_t number() const { return number_; }                    // order of submission

private:
    friend class Scheduler;
    std::atomic<NodeState> state_{NodeState::Waiting};
    uint64_t number_ = 0;
    size_t bytesWanted_ = 0;
    size_t missing_ = 0;                                           // inputs that are not done
    std::exception_ptr error_;
    std::function<void()> work_;
    std::vector<std::shared_ptr<Node>> dependents_;
    std::vector<Callback> callbacks_;
};

struct SchedulerOptions {
    unsigned threads = 0;                                          // 0: one per hardware thread
    std::shared_ptr<MemoryPool> pool;                              // watched by the ceiling; may be null
    size_t ceilingBytes = 0;                                       // 0: none
};

struct SchedulerCounters {
    size_t queued = 0;                                             // submitted, not started
    size_t ready = 0;                                              // of those, inputs done
    size_t running = 0;
    uint64_t done = 0;
    uint64_t failed = 0;                                           // cancelled ones included
    size_t bytesWanted = 0;                                        // sum over queued and running operations
    uint64_t loopsHelped = 0;                                      // times a thread joined another's parallelFor
};

class Scheduler final : public Executor {
public:
    explicit Scheduler(const SchedulerOptions& options = {});
    // Cancels what has not started, waits for what has. Not to be called from a worker.
    ~Scheduler() override;
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    // Null inputs are ignored. `bytesWanted` estimates result and scratch, for the ceiling. Throws std::logic_error after
    // shutdown() has begun.
    std::shared_ptr<Node> submit(const std::vector<std::shared_ptr<Node>>& inputs, std::function<void()> work,
                                 size_t bytesWanted = 0);

    // On a worker when the node settles; at once on this thread if it has.
    void onSettled(const std::shared_ptr<Node>& node, Node::Callback callback);

    // Fails the node and its dependents unless it has started; true if it had not.
    bool cancel(const std::shared_ptr<Node>& node, std::exception_ptr reason);
    // Fails everything that has not started; returns how many.
    size_t cancelAll(std::exception_ptr reason);

    // These block; not to be called from a worker. wait() rethrows the node's error, drain() does not.
    void wait(const std::shared_ptr<Node>& node);
    void drain();
    void shutdown();

    void setCeiling(size_t bytes);
    SchedulerCounters counters() const;

    // On a worker or any other thread, which takes part itself.
    void parallelFor(size_t count, const Task& task) override;
    unsigned width() const override { return threadCount_; }

private:
    struct Loop;
    using NodePtr = std::shared_ptr<Node>;
    using Settled = std::vector<NodePtr>;

    void workerMain();
    bool helpOneLoop(std::unique_lock<std::mutex>& lock);
    bool runOneNode(std::unique_lock<std::mutex>& lock);
    bool admits(const Node& node) const;
    void settle(const NodePtr& node, std::exception_ptr error, Settled& failed);
    void failPending(std::vector<NodePtr> stack, const std::exception_ptr& error, Settled& failed);
    static void announce(const NodePtr& node);
    void announceAll(const Settled& nodes);
    void wake();
    void spinForWork() const;

    mutable std::mutex mutex_;
    std::condition_variable workCome_;
    std::condition_variable settledOne_;
    std::condition_variable helperLeft_;
    std::map<uint64_t, NodePtr> pending_;                          // waiting and ready
    std::map<uint64_t, NodePtr> ready_;
    std::vector<Loop*> loops_;
    std::atomic<uint64_t> epoch_{0};                               // bumped when work may have come
    uint64_t nextNumber_ = 1;
    size_t runningBytes_ = 0;
    size_t announcing_ = 0;                                        // threads calling callbacks of cancelled nodes
    unsigned sleeping_ = 0;
    bool stopping_ = false;
    SchedulerCounters counters_;
    std::shared_ptr<MemoryPool> pool_;
    size_t ceilingBytes_ = 0;
    unsigned threadCount_ = 1;
    std::vector<std::thread> workers_;
};

}  // namespace heml
