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
      }, 10));
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
    CHECK_EQUAL(counters.running + counters.queued + counters.bytesWanted, 0u);
  }
}

TEST(oldestReadyFirst) {
  Scheduler scheduler({1, nullptr, 0});
  std::vector<int> order;
  const NodePtr gate = scheduler.submit({}, [] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); });
  std::vector<NodePtr> heads;
  for (int chain = 0; chain < 3; ++chain) {
    NodePtr last = gate;
    for (int step = 0; step < 3; ++step) last = scheduler.submit({last}, [&order, chain, step] { order.push_back(3 * chain + step); });
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
  const NodePtr first = scheduler.submit({}, [&] { while (!go) std::this_thread::yield(); });
  NodePtr last = first;
  for (int i = 0; i < 100000; ++i) last = scheduler.submit({last}, [] {}, 1);
  scheduler.onSettled(last, [&](std::exception_ptr) { ++callbacks; });
  while (first->state() != NodeState::Running) std::this_thread::yield();
  CHECK(!scheduler.cancel(first, reason("no")));
  CHECK_EQUAL(scheduler.cancelAll(reason("aborted")), 100000u);
  go = true;
  scheduler.drain();
  CHECK_EQUAL(textOf(last->error()), "aborted");
  CHECK(first->state() == NodeState::Done);
  CHECK_EQUAL(callbacks.load(), 1);
  CHECK_EQUAL(scheduler.counters().bytesWanted, 0u);
}

TEST(cancellingOneBranch) {
  std::atomic<bool> go{false};
  Scheduler scheduler({1, nullptr, 0});
  const NodePtr gate = scheduler.submit({}, [&] { while (!go) std::this_thread::yield(); });
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
  const NodePtr gate = scheduler.submit({}, [&] { while (!go) std::this_thread::yield(); });
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
    }, 600);
  }
  scheduler.drain();
  CHECK_EQUAL(most.load(), 1);
  scheduler.setCeiling(0);
  std::atomic<int> done{0};
  for (int i = 0; i < 60; ++i) scheduler.submit({}, [&] { ++done; }, 600);
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

TEST_MAIN()
