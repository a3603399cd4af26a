// The engine's own threads: operations in dependency order, and loops inside them that idle threads help with.
//
// submit() names the nodes an operation reads and returns the node it makes. A node runs once its inputs are done; among
// those that are ready the oldest submission goes first, so a graph submitted chain by chain is worked depth first and
// few intermediate results live at a time. A node that throws fails, and everything that depends on it fails with the
// very same error. An idle thread prefers helping an open parallelFor to starting another operation.
// Submissions belong to lanes: scopes with counters, cancellation and memory of their own. When several have something ready,
// the lane with the fewest running operations goes first, so that none starves; within one, the oldest submission.
// Above the memory ceiling (of the pool, or of a lane for what was allocated by its operations) no operation starts while
// another runs; when none runs one starts regardless, so a ceiling delays but cannot deadlock, and is exceeded by no more than
// what the running operations take. Threads spin for some microseconds after work (loops come in bursts), then sleep.
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
class Lane;

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
    std::shared_ptr<Lane> lane_;
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
    uint64_t loopsHelped = 0;                                      // times a thread joined another's parallelFor
};

// A scope of the queue; see openLane(). Everything in it is guarded by the scheduler's mutex, its memory by the pool's.
class Lane {
public:
    const std::shared_ptr<MemoryAccount>& account() const { return account_; }

private:
    friend class Scheduler;
    std::map<uint64_t, std::shared_ptr<Node>> pending_;            // waiting and ready
    std::map<uint64_t, std::shared_ptr<Node>> ready_;
    SchedulerCounters counters_;
    size_t ceilingBytes_ = 0;
    std::shared_ptr<MemoryAccount> account_ = std::make_shared<MemoryAccount>();
};

class Scheduler final : public Executor {
public:
    explicit Scheduler(const SchedulerOptions& options = {});
    // Cancels what has not started, waits for what has. Not to be called from a worker.
    ~Scheduler() override;
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    // A lane beside the main one; its ceiling is on what its operations allocate, 0: none. closeLane() cancels what has not
    // started and forgets it once it is idle; nothing may be submitted on it any more.
    std::shared_ptr<Lane> openLane(size_t ceilingBytes = 0);
    void closeLane(const std::shared_ptr<Lane>& lane, std::exception_ptr reason);
    const std::shared_ptr<Lane>& mainLane() const { return main_; }

    // Null inputs are ignored; they may be of any lane. Throws std::logic_error after shutdown() has begun.
    std::shared_ptr<Node> submit(const std::shared_ptr<Lane>& lane, const std::vector<std::shared_ptr<Node>>& inputs,
                                 std::function<void()> work);
    std::shared_ptr<Node> submit(const std::vector<std::shared_ptr<Node>>& inputs, std::function<void()> work) {
        return submit(main_, inputs, std::move(work));
    }

    // On a worker when the node settles; at once on this thread if it has.
    void onSettled(const std::shared_ptr<Node>& node, Node::Callback callback);

    // Fails the node and its dependents unless it has started; true if it had not.
    bool cancel(const std::shared_ptr<Node>& node, std::exception_ptr reason);
    // Fails everything that has not started, of all lanes or of one with what depends on it; returns how many.
    size_t cancelAll(std::exception_ptr reason);
    size_t cancelAll(const std::shared_ptr<Lane>& lane, std::exception_ptr reason);

    // These block; not to be called from a worker. wait() rethrows the node's error, drain() does not.
    void wait(const std::shared_ptr<Node>& node);
    void drain();
    void drain(const std::shared_ptr<Lane>& lane);
    void shutdown();

    void setCeiling(size_t bytes);
    SchedulerCounters counters() const;                            // of all lanes, closed ones included
    SchedulerCounters counters(const Lane& lane) const;

    // On a worker or any other thread, which takes part itself.
    void parallelFor(size_t count, const Task& task) override;
    unsigned width() const override { return threadCount_; }

private:
    struct Loop;
    using NodePtr = std::shared_ptr<Node>;
    using LanePtr = std::shared_ptr<Lane>;
    using Settled = std::vector<NodePtr>;

    void workerMain();
    bool helpOneLoop(std::unique_lock<std::mutex>& lock);
    bool runOneNode(std::unique_lock<std::mutex>& lock);
    bool admits(const Lane& lane) const;
    NodePtr takeReady();
    size_t cancelPending(std::vector<NodePtr> nodes, const std::exception_ptr& reason);
    bool idle(const Lane& lane) const { return lane.pending_.empty() && lane.counters_.running == 0; }
    void settle(const NodePtr& node, std::exception_ptr error, Settled& failed);
    void failPending(std::vector<NodePtr> stack, const std::exception_ptr& error, Settled& failed);
    static void announce(const NodePtr& node);
    void announceAll(const Settled& nodes);
    void wake();

    mutable std::mutex mutex_;
    std::condition_variable workCome_;
    std::condition_variable settledOne_;
    std::condition_variable helperLeft_;
    std::shared_ptr<Lane> main_ = std::make_shared<Lane>();
    std::vector<std::shared_ptr<Lane>> lanes_{main_};
    SchedulerCounters closed_;                                     // of lanes that are gone
    std::vector<Loop*> loops_;
    std::atomic<uint64_t> epoch_{0};                               // bumped when work may have come
    uint64_t nextNumber_ = 1;
    size_t running_ = 0;
    uint64_t loopsHelped_ = 0;
    size_t announcing_ = 0;                                        // threads calling callbacks of nodes that never ran
    unsigned sleeping_ = 0;
    bool stopping_ = false;
    std::shared_ptr<MemoryPool> pool_;
    size_t ceilingBytes_ = 0;
    unsigned threadCount_ = 1;
    std::vector<std::thread> workers_;
};

}  // namespace heml
