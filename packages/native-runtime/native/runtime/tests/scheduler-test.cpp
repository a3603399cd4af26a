// The scheduler: order, failure, cancellation, ceiling, nested loops. Meant to be run under the thread sanitizer too.

#include <atomic>
#include <chrono>
#include <stdexcept>

#include "runtime/scheduler.h"
#include "testing/test.h"

using namespace heml;
using heml::test::Random;

namespace {

std::exception_ptr reason(const char* text) { return std::make_exception_ptr(std::runtime_error(text)); }

std::string textOf(const std::exception_ptr& error) {
    if (!error) return "";
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& caught) {
        return caught.what();
    }
}

using NodePtr = std::shared_ptr<Node>;

}  // namespace

// A random graph with failures: every node sees its inputs' results, failures reach exactly what depends on them.
TEST(randomGraphs) {
    constexpr size_t NODES = 1000;
    for (unsigned threads = 1; threads <= 4; ++threads) {
        Scheduler scheduler({threads, nullptr, 0});
        Random random(threads);
        std::vector<NodePtr> nodes;
        std::vector<std::atomic<int>> result(NODES);
        std::vector<bool> fails(NODES);
        std::atomic<int> wrong{0}, settled{0};
        for (size_t i = 0; i < NODES; ++i) {
            std::vector<NodePtr> inputs;
            std::vector<size_t> indices;
            for (size_t k = 0; k < 2 && i > 0; ++k) indices.push_back(i - 1 - random.below(std::min<size_t>(i, 40)));
            const bool throws = random.below(150) == 0;
            fails[i] = throws;
            for (size_t index : indices) {
                inputs.push_back(nodes[index]);
                fails[i] = fails[i] || fails[index];
            }
            result[i] = 0;
            nodes.push_back(scheduler.submit(inputs, [&, i, indices, throws] {
                for (size_t index : indices) wrong += result[index] != 1;
                std::atomic<size_t> sum{0};
                scheduler.parallelFor(19, [&](size_t begin, size_t end) {
                    scheduler.parallelFor(end - begin, [&](size_t b, size_t e) { sum += e - b; });
                });
                wrong += sum != 19;
                if (throws) throw std::runtime_error("broken");
                result[i] = 1;
            }));
            scheduler.onSettled(nodes.back(), [&](std::exception_ptr error) {
                wrong += error && textOf(error) != "broken";
                ++settled;
            });
        }
        scheduler.drain();
        CHECK_EQUAL(wrong.load(), 0);
        CHECK_EQUAL(settled.load(), static_cast<int>(NODES));
        for (size_t i = 0; i < NODES; ++i) CHECK_EQUAL(nodes[i]->state() == NodeState::Failed, fails[i]);
        const SchedulerCounters counters = scheduler.counters();
        CHECK_EQUAL(counters.done + counters.failed, NODES);
        CHECK_EQUAL(counters.running + counters.queued, 0u);
    }
}

TEST(oldestReadyFirst) {
    Scheduler scheduler({1, nullptr, 0});
    std::vector<int> order;
    const NodePtr gate = scheduler.submit({}, [] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); });
    std::vector<NodePtr> heads;
    for (int chain = 0; chain < 3; ++chain) {
        NodePtr last = gate;
        for (int step = 0; step < 3; ++step)
            last = scheduler.submit({last}, [&order, chain, step] { order.push_back(3 * chain + step); });
    }
    scheduler.drain();
    CHECK(order == (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(failureIsTheSameErrorEverywhere) {
    Scheduler scheduler({2, nullptr, 0});
    const NodePtr bad = scheduler.submit({}, [] { throw std::invalid_argument("level"); });
    const NodePtr next = scheduler.submit({bad}, [] {});
    const NodePtr last = scheduler.submit({next, nullptr}, [] {});
    CHECK_THROWS(scheduler.wait(last));
    CHECK(last->error() == bad->error());
    const NodePtr late = scheduler.submit({bad}, [] {});    // submitted after the failure
    CHECK(late->error() == bad->error());
    bool called = false;
    scheduler.onSettled(late, [&](std::exception_ptr error) { called = error == bad->error(); });
    CHECK(called);
}

TEST(cancellingALongChain) {
    Scheduler scheduler({2, nullptr, 0});
    std::atomic<bool> go{false};
    std::atomic<int> callbacks{0};
    const NodePtr first = scheduler.submit({}, [&] {
        while (!go) std::this_thread::yield();
    });
    NodePtr last = first;
    for (int i = 0; i < 100000; ++i) last = scheduler.submit({last}, [] {});
    scheduler.onSettled(last, [&](std::exception_ptr) { ++callbacks; });
    while (first->state() != NodeState::Running) std::this_thread::yield();
    CHECK(!scheduler.cancel(first, reason("no")));
    CHECK_EQUAL(scheduler.cancelAll(reason("aborted")), 100000u);
    go = true;
    scheduler.drain();
    CHECK_EQUAL(textOf(last->error()), "aborted");
    CHECK(first->state() == NodeState::Done);
    CHECK_EQUAL(callbacks.load(), 1);
    CHECK_EQUAL(scheduler.counters().queued, 0u);
}

TEST(cancellingOneBranch) {
    std::atomic<bool> go{false};
    Scheduler scheduler({1, nullptr, 0});
    const NodePtr gate = scheduler.submit({}, [&] {
        while (!go) std::this_thread::yield();
    });
    const NodePtr a = scheduler.submit({gate}, [] {});
    const NodePtr b = scheduler.submit({gate}, [] {});
    const NodePtr child = scheduler.submit({a}, [] {});
    CHECK(scheduler.cancel(a, reason("one")));
    go = true;
    scheduler.drain();
    CHECK_EQUAL(textOf(child->error()), "one");
    CHECK(b->state() == NodeState::Done);
}

TEST(workIsReleasedBeforeTheResultIsAnnounced) {
    auto held = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = held;
    std::atomic<bool> released{false}, go{false};
    Scheduler scheduler({1, nullptr, 0});
    const NodePtr gate = scheduler.submit({}, [&] {
        while (!go) std::this_thread::yield();
    });
    const NodePtr node = scheduler.submit({gate}, [held] {});
    held.reset();
    scheduler.onSettled(node, [&](std::exception_ptr) { released = watch.expired(); });
    go = true;
    scheduler.drain();
    CHECK(released.load());
}

TEST(theCeilingSerialisesButNeverBlocks) {
    const auto pool = MemoryPool::create();
    Scheduler scheduler({3, pool, 1000});
    std::atomic<int> running{0}, most{0};
    const Buffer above = pool->allocate(5000, MemoryKind::Ciphertext);   // over the ceiling already
    for (int i = 0; i < 60; ++i) {
        scheduler.submit({}, [&] {
            const int now = ++running;
            for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
            std::this_thread::sleep_for(std::chrono::microseconds(200));
            --running;
        });
    }
    scheduler.drain();
    CHECK_EQUAL(most.load(), 1);
    scheduler.setCeiling(0);
    std::atomic<int> done{0};
    for (int i = 0; i < 60; ++i) scheduler.submit({}, [&] { ++done; });
    scheduler.drain();
    CHECK_EQUAL(done.load(), 60);
}

TEST(parallelForCoversEachIndexOnceAndRethrows) {
    Scheduler scheduler({3, nullptr, 0});
    for (size_t count : {0u, 1u, 2u, 7u, 64u, 1000u}) {
        std::vector<std::atomic<int>> hits(count);
        scheduler.parallelFor(count, [&](size_t begin, size_t end) {
            for (size_t i = begin; i < end; ++i) ++hits[i];
        });
        for (auto& hit : hits) CHECK_EQUAL(hit.load(), 1);
    }
    CHECK_THROWS(scheduler.parallelFor(100, [](size_t begin, size_t) {
        if (begin > 10) throw std::runtime_error("chunk");
    }));
}

TEST(idleThreadsHelp) {
    Scheduler scheduler({4, nullptr, 0});
    const NodePtr node = scheduler.submit({}, [&] {
        for (int i = 0; i < 50; ++i) {
            scheduler.parallelFor(16, [](size_t, size_t) { std::this_thread::sleep_for(std::chrono::microseconds(50)); });
        }
    });
    scheduler.wait(node);
    CHECK(scheduler.counters().loopsHelped > 0);
}

TEST(shutdownCancelsTheRest) {
    std::vector<NodePtr> nodes;
    {
        Scheduler scheduler({2, nullptr, 0});
        NodePtr last;
        for (int i = 0; i < 100; ++i) {
            last = scheduler.submit({last}, [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
            nodes.push_back(last);
        }
        scheduler.wait(nodes[0]);
        scheduler.shutdown();
        CHECK_THROWS(scheduler.submit({}, [] {}));
    }
    for (const NodePtr& node : nodes) CHECK(node->settled());
    CHECK(nodes[0]->state() == NodeState::Done);
    CHECK(nodes[99]->state() == NodeState::Failed);
}

// Holds a worker until it is told to go on.
struct Gate {
    std::atomic<bool> open{false}, reached{false};
    void operator()() {
        reached = true;
        while (!open) std::this_thread::yield();
    }
    void await() const {
        while (!reached) std::this_thread::yield();
    }
};

TEST(cancellingOneLaneLeavesTheOthersAlone) {
    Scheduler scheduler({1, nullptr, 0});
    const auto one = scheduler.openLane(), two = scheduler.openLane();
    Gate gate;
    scheduler.submit({}, [&] { gate(); });
    gate.await();
    std::atomic<int> done{0};
    NodePtr a, b;
    for (int i = 0; i < 50; ++i) {
        a = scheduler.submit(one, {a}, [&] { done += 1000; });
        b = scheduler.submit(two, {b}, [&] { ++done; });
    }
    const NodePtr mixed = scheduler.submit(two, {a, b}, [] {});    // reads what is cancelled
    CHECK_EQUAL(scheduler.counters(*one).queued, 50u);
    CHECK_EQUAL(scheduler.counters(*two).queued, 51u);
    CHECK_EQUAL(scheduler.cancelAll(one, reason("aborted")), 51u);
    CHECK_EQUAL(scheduler.counters(*one).failed, 50u);
    CHECK_EQUAL(scheduler.counters(*two).failed, 1u);
    gate.open = true;
    scheduler.drain(two);
    CHECK_EQUAL(done.load(), 50);
    CHECK_EQUAL(textOf(mixed->error()), "aborted");
    CHECK(b->state() == NodeState::Done);
    CHECK_EQUAL(scheduler.counters(*two).done, 50u);
    const NodePtr later = scheduler.submit(one, {b}, [] {});       // the lane works on
    scheduler.wait(later);
    scheduler.closeLane(one, reason("closed"));
    scheduler.closeLane(one, reason("closed"));
    scheduler.closeLane(two, reason("closed"));
    CHECK_EQUAL(scheduler.counters().done, 52u);
    CHECK_EQUAL(scheduler.counters().failed, 51u);
}

TEST(drainingOneLaneDoesNotWaitForAnother) {
    Scheduler scheduler({2, nullptr, 0});
    const auto one = scheduler.openLane(), two = scheduler.openLane();
    Gate gate;
    scheduler.submit(one, {}, [&] { gate(); });
    gate.await();
    scheduler.submit(two, {}, [] {});
    scheduler.drain(two);
    CHECK_EQUAL(scheduler.counters(*one).running, 1u);
    gate.open = true;
    scheduler.drain();
}

TEST(aLaneWithALongQueueDoesNotStarveAnother) {
    Scheduler scheduler({2, nullptr, 0});
    const auto one = scheduler.openLane(), two = scheduler.openLane();
    Gate first, second;
    scheduler.submit({}, [&] { first(); });
    scheduler.submit({}, [&] { second(); });
    first.await();
    second.await();
    std::atomic<int> before{0};
  // one operation of the first lane holds a thread; the other thread then serves the second lane before all the rest
    Gate held;
    scheduler.submit(one, {}, [&] { held(); });
    for (int i = 0; i < 1000; ++i) scheduler.submit(one, {}, [&] { ++before; });
    int seen = -1;
    const NodePtr other = scheduler.submit(two, {}, [&] { seen = before; });
    first.open = true;
    held.await();
    second.open = true;
    scheduler.wait(other);
    CHECK(seen <= 1);
    held.open = true;
    scheduler.drain();
    CHECK_EQUAL(before.load(), 1000);
}

TEST(aLanesCeilingDelaysThatLaneAlone) {
    const auto pool = MemoryPool::create();
    Scheduler scheduler({3, pool, 0});
    const auto small = scheduler.openLane(5000), free = scheduler.openLane();
    std::vector<Buffer> kept(1);
    scheduler.wait(scheduler.submit(small, {}, [&] { kept[0] = pool->allocate(8192, MemoryKind::Ciphertext); }));
    CHECK_EQUAL(pool->counters(*small->account()).total, 8192u);
    std::atomic<int> running{0}, most{0};
    std::atomic<size_t> others{0};
    for (int i = 0; i < 60; ++i) {
        scheduler.submit(small, {}, [&] {
            const int now = ++running;
            for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
            std::this_thread::sleep_for(std::chrono::microseconds(200));
            --running;
        });
        scheduler.submit(free, {}, [&] { ++others; });
    }
    scheduler.drain();
    CHECK_EQUAL(most.load(), 1);
    CHECK_EQUAL(others.load(), 60u);
}

TEST(memoryIsBookedOnTheLaneThatAllocatesIt) {
    const auto pool = MemoryPool::create();
    Scheduler scheduler({3, pool, 0});
    const auto one = scheduler.openLane(), two = scheduler.openLane();
    std::vector<Buffer> kept(64);
    const NodePtr made = scheduler.submit(one, {}, [&] {
        scheduler.parallelFor(kept.size(), [&](size_t begin, size_t end) {
            for (size_t i = begin; i < end; ++i) kept[i] = pool->allocate(4096, MemoryKind::Scratch);
        });
        kept[0].setKind(MemoryKind::Ciphertext);
    });
    scheduler.wait(scheduler.submit(two, {made}, [&] { kept.resize(32); }));   // whoever frees it
    const MemoryAccount account = pool->counters(*one->account());
    CHECK_EQUAL(account.total, 32u * 4096);
    CHECK_EQUAL(account.totalPeak, 64u * 4096);
    CHECK_EQUAL(account.current[0], 4096u);
    CHECK_EQUAL(account.current[3], 31u * 4096);
    CHECK_EQUAL(pool->counters(*two->account()).totalPeak, 0u);
    CHECK(!AccountScope::current());
    kept.clear();
    CHECK_EQUAL(pool->counters(*one->account()).total, 0u);
    CHECK_EQUAL(pool->counters().total, 0u);
}

TEST_MAIN()
