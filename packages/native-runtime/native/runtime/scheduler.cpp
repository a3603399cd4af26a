#include "scheduler.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace heml {

namespace {

constexpr auto SPIN_TIME = std::chrono::microseconds(100);
constexpr size_t CHUNKS_PER_THREAD = 4;

inline void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

// Spins until `ready()` or for SPIN_TIME.
template <class Ready>
bool spinUntil(Ready ready) {
    const auto end = std::chrono::steady_clock::now() + SPIN_TIME;
    do {
        for (int i = 0; i < 16; ++i) {
            if (ready()) return true;
            relax();
        }
    } while (std::chrono::steady_clock::now() < end);
    return ready();
}

}  // namespace

// Lives on the stack of the thread that opened it; that thread leaves only when `helpers` is 0 and nobody can find it.
struct Scheduler::Loop {
    const Task* task;
    size_t count;
    size_t grain;
    std::shared_ptr<MemoryAccount> account;                        // whom helpers allocate for
    std::atomic<size_t> next{0};
    std::atomic<unsigned> helpers{0};                              // raised and lowered under the scheduler's mutex
    std::mutex errorMutex;
    std::exception_ptr error;

    bool open() const { return next.load(std::memory_order_relaxed) < count; }

    void runChunks() {
        for (;;) {
            const size_t begin = next.fetch_add(grain, std::memory_order_relaxed);
            if (begin >= count) return;
            try {
                (*task)(begin, std::min(begin + grain, count));
            } catch (...) {
                std::lock_guard<std::mutex> lock(errorMutex);
                if (!error) error = std::current_exception();
                next.store(count, std::memory_order_relaxed);      // the rest is skipped
            }
        }
    }
};

Scheduler::Scheduler(const SchedulerOptions& options)
    : pool_(options.pool), ceilingBytes_(options.ceilingBytes), threadCount_(options.threads) {
    if (threadCount_ == 0) threadCount_ = std::max(1u, std::thread::hardware_concurrency());
    workers_.reserve(threadCount_);
    for (unsigned i = 0; i < threadCount_; ++i) workers_.emplace_back([this] { workerMain(); });
}

Scheduler::~Scheduler() { shutdown(); }

void Scheduler::shutdown() {
    {
        std::lock_guard<std::mutex> lock(mutex_);
        if (stopping_) return;
        stopping_ = true;
    }
    cancelAll(std::make_exception_ptr(std::runtime_error("the engine was shut down before this operation started")));
    {
        std::lock_guard<std::mutex> lock(mutex_);
        wake();
        workCome_.notify_all();
    }
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
}

// ---- the graph -----------------------------------------------------------------------------------------------------

std::shared_ptr<Lane> Scheduler::openLane(size_t ceilingBytes) {
    auto lane = std::make_shared<Lane>();
    lane->ceilingBytes_ = ceilingBytes;
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) throw std::logic_error("openLane: the scheduler has been shut down");
    lanes_.push_back(lane);
    return lane;
}

void Scheduler::closeLane(const LanePtr& lane, std::exception_ptr reason) {
    cancelAll(lane, std::move(reason));
    drain(lane);
    std::lock_guard<std::mutex> lock(mutex_);
    if (std::erase(lanes_, lane) == 0) return;
    closed_.done += lane->counters_.done;
    closed_.failed += lane->counters_.failed;
}

std::shared_ptr<Node> Scheduler::submit(const LanePtr& lane, const std::vector<NodePtr>& inputs, std::function<void()> work) {
    auto node = std::make_shared<Node>();
    node->work_ = std::move(work);
    node->lane_ = lane;
    std::function<void()> dropped;                                 // destroyed after the lock
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) throw std::logic_error("submit: the scheduler has been shut down");
    node->number_ = nextNumber_++;
    for (const NodePtr& input : inputs) {
        if (!input || input->state() == NodeState::Done) continue;
        if (input->state() == NodeState::Failed) {
            dropped = std::move(node->work_);
            node->error_ = input->error_;
            node->state_.store(NodeState::Failed, std::memory_order_release);
            ++lane->counters_.failed;
            return node;                                           // stays a dependent of other inputs; settle() skips it
        }
        input->dependents_.push_back(node);
        ++node->missing_;
    }
    lane->pending_.emplace(node->number_, node);
    if (node->missing_ == 0) {
        node->state_.store(NodeState::Ready, std::memory_order_release);
        lane->ready_.emplace(node->number_, node);
        wake();
    }
    return node;
}

bool Scheduler::admits(const Lane& lane) const {
    if (!pool_) return true;
    if (running_ != 0 && ceilingBytes_ != 0 && pool_->bytesInUse() > ceilingBytes_) return false;
    return lane.counters_.running == 0 || lane.ceilingBytes_ == 0 || pool_->bytesInUse(*lane.account_) <= lane.ceilingBytes_;
}

// The next node to run, taken from its lane's tables; null when none is ready and admitted. Under the lock.
Scheduler::NodePtr Scheduler::takeReady() {
    Lane* best = nullptr;
    for (const LanePtr& lane : lanes_) {
        if (lane->ready_.empty() || !admits(*lane)) continue;
        const auto rank = [](const Lane& l) { return std::pair(l.counters_.running, l.ready_.begin()->first); };
        if (!best || rank(*lane) < rank(*best)) best = lane.get();
    }
    if (!best) return nullptr;
    NodePtr node = best->ready_.begin()->second;
    best->ready_.erase(best->ready_.begin());
    best->pending_.erase(node->number_);
    return node;
}

bool Scheduler::runOneNode(std::unique_lock<std::mutex>& lock) {
    const NodePtr node = takeReady();
    if (!node) return false;
    Lane& lane = *node->lane_;
    node->state_.store(NodeState::Running, std::memory_order_release);
    ++lane.counters_.running;
    ++running_;
    std::function<void()> work = std::move(node->work_);
    node->work_ = nullptr;
    lock.unlock();

    std::exception_ptr error;
    {
        const AccountScope scope(lane.account_);
        try {
            work();
        } catch (...) {
            error = std::current_exception();
        }
        work = nullptr;                                            // releases the inputs before anyone hears of the result
    }

    Settled failed;
    lock.lock();
    settle(node, error, failed);
    ++announcing_;                                                 // dependents of other lanes may be among the failed
    lock.unlock();
    announce(node);
    announceAll(failed);
    failed.clear();
    lock.lock();
    --announcing_;
    --lane.counters_.running;
    --running_;
    wake();                                                        // a ceiling may admit another now
    settledOne_.notify_all();
    return true;
}

// Marks a node that has run, makes its dependents ready or fails them. Under the lock.
void Scheduler::settle(const NodePtr& node, std::exception_ptr error, Settled& failed) {
    std::vector<NodePtr> dependents = std::move(node->dependents_);
    node->dependents_.clear();
    if (error) {
        node->error_ = error;
        node->state_.store(NodeState::Failed, std::memory_order_release);
        ++node->lane_->counters_.failed;
        failPending(std::move(dependents), error, failed);
        return;
    }
    node->state_.store(NodeState::Done, std::memory_order_release);
    ++node->lane_->counters_.done;
    for (const NodePtr& dependent : dependents) {
        if (dependent->state() != NodeState::Waiting || --dependent->missing_ > 0) continue;
        dependent->state_.store(NodeState::Ready, std::memory_order_release);
        dependent->lane_->ready_.emplace(dependent->number_, dependent);
        wake();
    }
    settledOne_.notify_all();
}

// Fails nodes that have not started, and all that depend on them; an explicit stack, for chains may be long.
void Scheduler::failPending(std::vector<NodePtr> stack, const std::exception_ptr& error, Settled& failed) {
    while (!stack.empty()) {
        NodePtr node = std::move(stack.back());
        stack.pop_back();
        if (node->state() > NodeState::Ready) continue;
        Lane& lane = *node->lane_;
        lane.pending_.erase(node->number_);
        lane.ready_.erase(node->number_);
        ++lane.counters_.failed;
        node->error_ = error;
        node->state_.store(NodeState::Failed, std::memory_order_release);
        for (NodePtr& dependent : node->dependents_) stack.push_back(std::move(dependent));
        node->dependents_.clear();
        failed.push_back(std::move(node));
    }
    settledOne_.notify_all();
}

bool Scheduler::cancel(const NodePtr& node, std::exception_ptr reason) { return cancelPending({node}, reason) > 0; }

size_t Scheduler::cancelAll(std::exception_ptr reason) {
    std::vector<NodePtr> all;
    {
        std::lock_guard<std::mutex> lock(mutex_);
        for (const LanePtr& lane : lanes_)
            for (const auto& [number, node] : lane->pending_) all.push_back(node);
    }
    return cancelPending(std::move(all), reason);
}

size_t Scheduler::cancelAll(const LanePtr& lane, std::exception_ptr reason) {
    std::vector<NodePtr> all;
    {
        std::lock_guard<std::mutex> lock(mutex_);
        for (const auto& [number, node] : lane->pending_) all.push_back(node);
    }
    return cancelPending(std::move(all), reason);
}

// Fails those of the nodes that have not started, with what depends on them. Returns how many.
size_t Scheduler::cancelPending(std::vector<NodePtr> nodes, const std::exception_ptr& reason) {
    Settled failed;
    {
        std::lock_guard<std::mutex> lock(mutex_);
        failPending(std::move(nodes), reason, failed);
        ++announcing_;
    }
    announceAll(failed);
    std::lock_guard<std::mutex> lock(mutex_);
    --announcing_;
    settledOne_.notify_all();
    return failed.size();
}

// Called without the lock and by one thread per node: whoever settled it. Callbacks added later run at once.
void Scheduler::announce(const NodePtr& node) {
    std::vector<Node::Callback> callbacks = std::move(node->callbacks_);
    node->callbacks_.clear();
    for (const Node::Callback& callback : callbacks) callback(node->error());
}

void Scheduler::announceAll(const Settled& nodes) {
    for (const NodePtr& node : nodes) {
        node->work_ = nullptr;                                     // releases what a node that never ran held
        announce(node);
    }
}

void Scheduler::onSettled(const NodePtr& node, Node::Callback callback) {
    {
        std::lock_guard<std::mutex> lock(mutex_);
        if (!node->settled()) {
            node->callbacks_.push_back(std::move(callback));
            return;
        }
    }
    callback(node->error());
}

void Scheduler::wait(const NodePtr& node) {
    {
        std::unique_lock<std::mutex> lock(mutex_);
        settledOne_.wait(lock, [&] { return node->settled(); });
    }
    if (const std::exception_ptr error = node->error()) std::rethrow_exception(error);
}

void Scheduler::drain() {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto allIdle = [&] { return std::all_of(lanes_.begin(), lanes_.end(), [&](const LanePtr& l) { return idle(*l); }); };
    settledOne_.wait(lock, [&] { return announcing_ == 0 && allIdle(); });
}

void Scheduler::drain(const LanePtr& lane) {
    std::unique_lock<std::mutex> lock(mutex_);
    settledOne_.wait(lock, [&] { return announcing_ == 0 && idle(*lane); });
}

void Scheduler::setCeiling(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    ceilingBytes_ = bytes;
    wake();
}

SchedulerCounters Scheduler::counters() const {
    std::lock_guard<std::mutex> lock(mutex_);
    SchedulerCounters sum = closed_;
    for (const LanePtr& lane : lanes_) {
        sum.queued += lane->pending_.size();
        sum.ready += lane->ready_.size();
        sum.running += lane->counters_.running;
        sum.done += lane->counters_.done;
        sum.failed += lane->counters_.failed;
    }
    sum.loopsHelped = loopsHelped_;
    return sum;
}

SchedulerCounters Scheduler::counters(const Lane& lane) const {
    std::lock_guard<std::mutex> lock(mutex_);
    SchedulerCounters counters = lane.counters_;
    counters.queued = lane.pending_.size();
    counters.ready = lane.ready_.size();
    return counters;
}

// ---- threads -------------------------------------------------------------------------------------------------------

// Under the lock.
void Scheduler::wake() {
    epoch_.fetch_add(1, std::memory_order_release);
    if (sleeping_ > 0) workCome_.notify_one();
}

void Scheduler::workerMain() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
        if (helpOneLoop(lock) || runOneNode(lock)) continue;
        if (stopping_) return;                                     // what had not started was cancelled
        const uint64_t seen = epoch_.load(std::memory_order_relaxed);
        lock.unlock();
        const bool come = spinUntil([&] { return epoch_.load(std::memory_order_acquire) != seen; });
        lock.lock();
        if (come || epoch_.load(std::memory_order_relaxed) != seen) continue;
        ++sleeping_;
        workCome_.wait(lock, [&] { return epoch_.load(std::memory_order_relaxed) != seen; });
        --sleeping_;
    }
}

bool Scheduler::helpOneLoop(std::unique_lock<std::mutex>& lock) {
    // The newest first: an inner loop holds up the outer one.
    const auto found = std::find_if(loops_.rbegin(), loops_.rend(), [](const Loop* loop) { return loop->open(); });
    if (found == loops_.rend()) return false;
    Loop* loop = *found;
    loop->helpers.fetch_add(1, std::memory_order_relaxed);
    ++loopsHelped_;
    lock.unlock();
    {
        const AccountScope scope(loop->account);
        loop->runChunks();
    }
    lock.lock();
    loop->helpers.fetch_sub(1, std::memory_order_release);         // the loop may be gone from here on
    helperLeft_.notify_all();
    return true;
}

void Scheduler::parallelFor(size_t count, const Task& task) {
    if (count == 0) return;
    if (count == 1 || threadCount_ == 1) {
        task(0, count);
        return;
    }
    Loop loop;
    loop.task = &task;
    loop.count = count;
    loop.account = AccountScope::current();
    loop.grain = std::max<size_t>(1, count / (threadCount_ * CHUNKS_PER_THREAD));
    {
        std::lock_guard<std::mutex> lock(mutex_);
        loops_.push_back(&loop);
        epoch_.fetch_add(1, std::memory_order_release);
        const size_t helpersOfUse = std::min<size_t>(sleeping_, (count - 1) / loop.grain);
        for (size_t i = 0; i < helpersOfUse; ++i) workCome_.notify_one();
    }
    loop.runChunks();
    std::unique_lock<std::mutex> lock(mutex_);
    loops_.erase(std::find(loops_.begin(), loops_.end(), &loop));
    const auto alone = [&] { return loop.helpers.load(std::memory_order_acquire) == 0; };
    if (!alone()) {
        lock.unlock();
        const bool left = spinUntil(alone);
        lock.lock();
        if (!left) helperLeft_.wait(lock, alone);
    }
    lock.unlock();
    if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace heml
