// What the engine costs, one JSON object per line: name, metric, value, unit, params. metric "time" is the median, "best"
// the shortest run and "cpu-time" (one thread only) the least processor time: on a machine with other work these say what
// the code can do. Every repetition works on another ciphertext, so operands and keys come from memory as in a circuit.
// Arguments: parts of the names to run ("key-switch", "hoisted", "bootstrapping", "lock-step", "operations") and "threads=N" for one
// thread count; none: everything. Correctness is the server's tests' business.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <thread>

#include "server/evaluator.h"
#include "scheme/prime.h"
#include "runtime/scheduler.h"

using namespace heml;

namespace {

struct Case {
    unsigned logN;
    unsigned limbs;
    unsigned special;
    unsigned dnum;
};

// Primes of 47 bits for the base and P, 42 to 46 bits between, as in a bootstrapping chain.
ParametersSpec makeSpec(const Case& c) {
    ParametersSpec spec;
    spec.logN = c.logN;
    spec.digitLimbs = (c.limbs + c.dnum - 1) / c.dnum;
    std::vector<uint64_t> next(49);
    auto take = [&](unsigned bits) {
        const uint64_t step = uint64_t{2} << c.logN;
        uint64_t& p = next[bits];
        p = p == 0 ? (uint64_t{1} << bits) + 1 - step : p - step;
        while (!isPrime(p)) p -= step;
        return p;
    };
    for (unsigned i = 0; i < c.limbs; ++i) spec.levels.push_back({take(i == 0 ? 47 : 42 + i % 5)});
    for (unsigned i = 0; i < c.special; ++i) spec.special.push_back(take(47));
    return spec;
}

uint64_t randomState = 1;
uint64_t nextRandom() {
    uint64_t z = (randomState += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void fill(uint64_t* limb, size_t words, uint64_t p) {
    for (size_t i = 0; i < words; ++i) {
        limb[i] = static_cast<uint64_t>(static_cast<unsigned __int128>(nextRandom()) * p >> 64);
    }
}

Ciphertext randomCiphertext(const std::shared_ptr<const Context>& context, unsigned level, unsigned degree = 1) {
    Ciphertext out(context, level, degree);
    for (unsigned poly = 0; poly <= degree; ++poly) {
        for (size_t i = 0; i < out.limbs(); ++i) fill(out.limb(poly, i), context->ringDegree(), context->modulus(i).value);
    }
    return out;
}

KeySwitchKey randomKey(const std::shared_ptr<const Context>& context, unsigned level, uint32_t element) {
    KeySwitchKey key(context, level, element);
    for (size_t t = 0; t < key.targets(); ++t) {
        for (size_t d = 0; d < key.digits(); ++d) {
            for (auto half : {KeySwitchKey::B, KeySwitchKey::A}) {
                fill(key.limb(t, d, half), context->ringDegree(), context->modulus(key.modulusIndex(t)).value);
            }
        }
    }
    return key;
}

Plaintext randomPlaintext(const std::shared_ptr<const Context>& context, unsigned level, unsigned logRepeat) {
    Plaintext out(context, level, true, logRepeat);
    for (size_t i = 0; i < out.limbs(); ++i) {
        fill(out.limb(i), out.wordsPerLimb(), context->modulus(out.modulusIndex(i)).value);
    }
    return out;
}

double processorMilliseconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

struct Times {
    double median;
    double best;
    double processor;  // 0: not measured
};

// Lends `threads` threads; the measured call runs on one of them, as it does behind the queue.
class Threads {
public:
    explicit Threads(unsigned threads) {
        if (threads > 1) scheduler_ = std::make_unique<Scheduler>(SchedulerOptions{threads, nullptr, 0});
    }

    Times measure(unsigned repetitions, const std::function<void(Executor&, unsigned)>& work) {
        std::vector<double> times;
        std::vector<double> processor;
        SerialExecutor serial;
        auto once = [&](Executor& executor, unsigned r) {
            const double cpu = processorMilliseconds();
            const auto start = std::chrono::steady_clock::now();
            work(executor, r);
            const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
            if (r < WARM_UP) return;
            times.push_back(elapsed.count());
            processor.push_back(processorMilliseconds() - cpu);
        };
        for (unsigned r = 0; r < repetitions + WARM_UP; ++r) {
            if (scheduler_)
                scheduler_->wait(scheduler_->submit({}, [&] { once(*scheduler_, r); }));
            else
                once(serial, r);
        }
        std::sort(times.begin(), times.end());
        return {times[times.size() / 2], times[0], scheduler_ ? 0 : *std::min_element(processor.begin(), processor.end())};
    }

private:
    static constexpr unsigned WARM_UP = 2;
    std::unique_ptr<Scheduler> scheduler_;
};

void report(const std::string& name, const Times& times, const Context& context, const Case& c, unsigned threads,
            const std::string& more = "") {
    const std::pair<const char*, double> rows[] = {{"time", times.median}, {"best", times.best}, {"cpu-time", times.processor}};
    for (const auto& [metric, value] : rows) {
        if (value == 0) continue;
        std::printf(
            "{\"name\":\"%s\",\"metric\":\"%s\",\"value\":%.4f,\"unit\":\"ms\",\"params\":{\"logN\":%u,"
            "\"limbs\":%u,\"special\":%u,\"dnum\":%u,\"threads\":%u,\"kernel\":\"%s\"%s}}\n",
            name.c_str(), metric, value, c.logN, c.limbs, c.special, c.dnum, threads, context.kernels().name, more.c_str());
    }
    std::fflush(stdout);
}

unsigned repetitions(unsigned logN) { return logN >= 16 ? 15 : 31; }

void benchKeySwitch(const Case& c, unsigned threadCount) {
    auto context = Context::create(makeSpec(c));
    const unsigned level = context->maxLevel();
    KeySwitchKey rotation = randomKey(context, level, context->galoisElement(3));
    KeySwitchKey relinearization = randomKey(context, level, KeySwitchKey::RELINEARIZATION);
    SerialExecutor serial;
    for (KeySwitchKey* key : {&rotation, &relinearization}) key->pack(serial);  // as the addon does
    std::vector<Ciphertext> inputs;
    for (int i = 0; i < 4; ++i) inputs.push_back(randomCiphertext(context, level));
    Threads threads(threadCount);
    const unsigned reps = repetitions(c.logN);
    report("key-switch",
           threads.measure(reps, [&](Executor& executor, unsigned r) { rotate(inputs[r % 4], 3, rotation, executor); }), *context,
           c, threadCount, ",\"keys\":\"packed\"");
    report(
        "mul-relinearize",
        threads.measure(reps, [&](Executor& executor,
                                  unsigned r) { mulRelinearize(inputs[r % 4], inputs[(r + 1) % 4], relinearization, executor); }),
        *context, c, threadCount, ",\"keys\":\"packed\"");
    std::vector<Ciphertext> products;
    for (int i = 0; i < 4; ++i) products.push_back(randomCiphertext(context, level, 2));
    report("relinearize-rescale",
           threads.measure(
               reps, [&](Executor& executor, unsigned r) { relinearizeRescale(products[r % 4], relinearization, executor); }),
           *context, c, threadCount, ",\"keys\":\"packed\"");
}

// `babies` rotations of one ciphertext with a plaintext product each, added up; then with several giant steps. `plaintextCount`
// different ones take turns; each repeats its values 2^logRepeat times.
void benchHoisted(const Case& c, unsigned babies, unsigned giants, bool packed, unsigned threadCount, unsigned plaintextCount,
                  unsigned logRepeat, unsigned together = 1) {
    auto context = Context::create(makeSpec(c));
    const unsigned level = context->maxLevel();
    std::vector<KeySwitchKey> keys;
    for (unsigned b = 0; b < babies + giants - 1; ++b) keys.push_back(randomKey(context, level, context->galoisElement(b + 1)));
    SerialExecutor serial;
    for (KeySwitchKey& key : keys) {
        if (packed) key.pack(serial);
    }
    std::vector<Plaintext> plaintexts;
    for (unsigned i = 0; i < plaintextCount; ++i) plaintexts.push_back(randomPlaintext(context, level, logRepeat));
    std::vector<Ciphertext> ciphertexts;
    for (unsigned i = 0; i < together; ++i) ciphertexts.push_back(randomCiphertext(context, level));
    std::vector<const Ciphertext*> inputs;
    for (const Ciphertext& ciphertext : ciphertexts) inputs.push_back(&ciphertext);
    std::vector<GiantStep> steps(giants);
    for (unsigned g = 0; g < giants; ++g) {
        steps[g].key = g == 0 ? nullptr : &keys[babies + g - 1];
        for (unsigned b = 0; b < babies; ++b) {
            const unsigned which = plaintextCount > babies ? b + g * babies : b + g;
            steps[g].terms.push_back({&keys[b], &plaintexts[which % plaintextCount]});
        }
    }
    Threads threads(threadCount);
    report("linear-transform",
           threads.measure(15, [&](Executor& executor, unsigned) { linearTransform(inputs, steps, executor); }), *context, c,
           threadCount,
           ",\"babySteps\":" + std::to_string(babies) + ",\"giantSteps\":" + std::to_string(giants) +
               (plaintextCount == babies
                    ? ""
                    : ",\"plaintexts\":" + std::to_string(plaintextCount) + ",\"repeat\":" + std::to_string(1u << logRepeat)) +
               (packed ? ",\"keys\":\"packed\"" : ",\"keys\":\"unpacked\"") +
               (together == 1 ? "" : ",\"together\":" + std::to_string(together)));
}

void benchOperations(const Case& c, unsigned threadCount) {
    auto context = Context::create(makeSpec(c));
    const unsigned level = context->maxLevel();
    std::vector<Ciphertext> in;
    for (int i = 0; i < 4; ++i) in.push_back(randomCiphertext(context, level));
    const Plaintext plaintext = randomPlaintext(context, level, 0);
    const Plaintext periodic = randomPlaintext(context, level, c.logN - 6);
    Threads threads(threadCount);
    auto time = [&](const char* name, const std::function<void(Executor&, const Ciphertext&, const Ciphertext&)>& work) {
        report(name,
               threads.measure(repetitions(c.logN),
                               [&](Executor& executor, unsigned r) { work(executor, in[r % 4], in[(r + 1) % 4]); }),
               *context, c, threadCount);
    };
    time("add", [](Executor& e, const Ciphertext& a, const Ciphertext& b) { add(a, b, e); });
    time("mul-plain", [&](Executor& e, const Ciphertext& a, const Ciphertext&) { mulPlain(a, plaintext, e); });
    time("mul-plain-periodic", [&](Executor& e, const Ciphertext& a, const Ciphertext&) { mulPlain(a, periodic, e); });
    time("mul-scalar", [](Executor& e, const Ciphertext& a, const Ciphertext&) { mulScalar(a, {12345678901, 0}, e); });
    time("mul", [](Executor& e, const Ciphertext& a, const Ciphertext& b) { mul(a, b, e); });
    time("rescale", [](Executor& e, const Ciphertext& a, const Ciphertext&) { rescale(a, e); });
    std::vector<const Ciphertext*> columns = {&in[0], &in[1], &in[2], &in[3]};
    std::vector<int64_t> weights;
    for (int i = 0; i < 32; ++i) weights.push_back(static_cast<int64_t>(nextRandom() >> 22));
    time("matrix-product-8x4", [&](Executor& e, const Ciphertext&, const Ciphertext&) { matrixProduct(columns, weights, 8, e); });
}

bool wanted(int argc, char** argv, const char* name) {
    bool named = false;
    for (int i = 1; i < argc; ++i) {
        if (std::strncmp(argv[i], "threads=", 8) == 0) continue;
        if (std::strstr(name, argv[i]) != nullptr) return true;
        named = true;
    }
    return !named;
}

bool wantedThreads(int argc, char** argv, unsigned threads) {
    bool named = false;
    for (int i = 1; i < argc; ++i) {
        if (std::strncmp(argv[i], "threads=", 8) != 0) continue;
        if (std::strtoul(argv[i] + 8, nullptr, 10) == threads) return true;
        named = true;
    }
    return !named;
}

}  // namespace

int main(int argc, char** argv) {
    const unsigned most = std::min(2u, std::thread::hardware_concurrency());
    for (unsigned threads = 1; threads <= most; ++threads) {
        if (!wantedThreads(argc, argv, threads)) continue;
        if (wanted(argc, argv, "key-switch")) {
            for (const Case& c : {Case{16, 24, 8, 3}, Case{16, 12, 8, 2}, Case{16, 30, 6, 5}, Case{15, 12, 4, 3}}) {
                benchKeySwitch(c, threads);
            }
        }
        if (wanted(argc, argv, "hoisted")) {
            for (bool packed : {true, false}) {
                benchHoisted({16, 24, 8, 3}, 16, 1, packed, threads, 16, 0);
                benchHoisted({16, 24, 8, 3}, 16, 4, packed, threads, 16, 0);
                benchHoisted({16, 12, 8, 2}, 16, 1, packed, threads, 16, 0);
            }
        }
        // one factor of the homomorphic DFT at the top of a chain: 64 diagonals, short and full-length
        if (wanted(argc, argv, "bootstrapping")) {
            benchKeySwitch({16, 27, 9, 3}, threads);
            for (unsigned logRepeat : {6u, 0u}) benchHoisted({16, 27, 9, 3}, 16, 4, true, threads, 64, logRepeat);
        }
        // the same of several ciphertexts in lock step; times are of all
        if (wanted(argc, argv, "lock-step")) {
            for (unsigned together : {1u, 2u, 4u}) {
                for (unsigned logRepeat : {6u, 0u}) {
                    benchHoisted({16, 27, 9, 3}, 16, 4, true, threads, 64, logRepeat, together);
                }
            }
        }
        if (wanted(argc, argv, "operations")) benchOperations({16, 24, 8, 3}, threads);
    }
    return 0;
}
