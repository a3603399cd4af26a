#pragma once
// A test harness of one page: TEST(name) { ... } registers, CHECK / CHECK_EQUAL / CHECK_THROWS count and
// print failures, TEST_MAIN() runs everything (or the tests whose name contains the first argument).
// Random data come from a fixed seed, printed, or from HE_ML_TEST_SEED.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

namespace heml::test {

struct Case {
    const char* name;
    void (*body)();
};

inline std::vector<Case>& cases() {
    static std::vector<Case> all;
    return all;
}

inline int& failures() {
    static int count = 0;
    return count;
}

struct Registration {
    Registration(const char* name, void (*body)()) { cases().push_back({name, body}); }
};

inline void fail(const char* file, int line, const std::string& what) {
    if (++failures() <= 50) std::fprintf(stderr, "  %s:%d: %s\n", file, line, what.c_str());
}

template <class A, class B>
void checkEqual(const A& got, const B& want, const char* text, const char* file, int line) {
    if (got == want) return;
    std::ostringstream message;
    message << text << ": got " << got << ", want " << want;
    fail(file, line, message.str());
}

inline std::uint64_t seed() {
    const char* given = std::getenv("HE_ML_TEST_SEED");
    return given == nullptr ? 20240117 : std::strtoull(given, nullptr, 0);
}

/// SplitMix64: any state will do, so tests may seed it with small numbers.
class Random {
public:
    explicit Random(std::uint64_t stream = 0) : state_(seed() * 0x9E3779B97F4A7C15u + stream) {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }

    std::uint64_t below(std::uint64_t bound) {
        return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
    }

private:
    std::uint64_t state_;
};

inline int run(int argc, char** argv) {
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed()));
    int ran = 0;
    for (const Case& test : cases()) {
        if (argc > 1 && std::strstr(test.name, argv[1]) == nullptr) continue;
        const int before = failures();
        try {
            test.body();
        } catch (const std::exception& error) {
            fail(test.name, 0, std::string("unexpected exception: ") + error.what());
        }
        std::printf("%s %s\n", failures() == before ? "ok  " : "FAIL", test.name);
        std::fflush(stdout);
        ++ran;
    }
    std::printf("%d tests, %d failures\n", ran, failures());
    return failures() == 0 && ran > 0 ? 0 : 1;
}

}  // namespace heml::test

#define TEST(name)                                                             \
    static void test_##name();                                                 \
    static const heml::test::Registration register_##name(#name, test_##name); \
    static void test_##name()

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) heml::test::fail(__FILE__, __LINE__, #condition); \
    } while (false)

#define CHECK_EQUAL(got, want) heml::test::checkEqual((got), (want), #got " == " #want, __FILE__, __LINE__)

#define CHECK_THROWS(expression)                                                                 \
    do {                                                                                         \
        bool threw = false;                                                                      \
        try {                                                                                    \
            (void)(expression);                                                                  \
        } catch (const std::exception&) {                                                        \
            threw = true;                                                                        \
        }                                                                                        \
        if (!threw) heml::test::fail(__FILE__, __LINE__, "expected an exception: " #expression); \
    } while (false)

#define TEST_MAIN() \
    int main(int argc, char** argv) { return heml::test::run(argc, argv); }
