// The samplers of small polynomials: known answers (from an independent implementation of docs/notes/sampling.md), agreement
// of instruction sets, and statistics under a fixed seed.

#include <algorithm>
#include <map>

#include "client/sampler.h"
#include "scheme/tests/scheme-helpers.h"

using namespace heml;
using namespace heml::test;

namespace {

std::vector<KeccakPermute8> permutationsHere() {
    std::vector<KeccakPermute8> found;
    for (const Kernels* k : kernel::supportedKernels()) found.push_back(keccakPermute8For(k->name));
    return found;
}

/// Sum of (observed - expected)^2 / expected.
double chiSquare(const std::map<int, double>& expected, const std::vector<int8_t>& values) {
    std::map<int, double> observed;
    for (int8_t v : values) observed[v] += 1;
    double sum = 0, restExpected = static_cast<double>(values.size()), restObserved = restExpected;
    for (const auto& [value, count] : expected) {
        sum += (observed[value] - count) * (observed[value] - count) / count;
        restExpected -= count;
        restObserved -= observed[value];
    }
    return restExpected < 1 ? sum : sum + (restObserved - restExpected) * (restObserved - restExpected) / restExpected;
}

const KeccakPermute8 fastest = permutationsHere().back();

}  // namespace

TEST(smallSamplersKnownAnswersAndBounds) {
    const std::vector<int8_t> ternary{1, 0, 1, -1}, error{-1, 1, 7, 0};
    for (KeccakPermute8 permute : permutationsHere()) {
        std::vector<int8_t> v(1024);
        sampleTernary(v.data(), v.size(), testSeed(0), 7, permute);
        CHECK(ternary == (std::vector<int8_t>{v[0], v[1], v[127], v[128]}));
        sampleError(v.data(), v.size(), testSeed(0), 7, permute);
        CHECK(error == (std::vector<int8_t>{v[0], v[1], v[127], v[128]}));
    }
    std::vector<int8_t> sparse(65536);
    sampleSparseTernary(sparse.data(), sparse.size(), 32, testSeed(3), 0);
    CHECK_EQUAL(std::count_if(sparse.begin(), sparse.end(), [](int8_t v) { return v != 0; }), 32);
    CHECK_THROWS(sampleSparseTernary(sparse.data(), 1000, 32, testSeed(3), 0));
}

TEST(ternaryAndErrorStatistics) {
    std::vector<int8_t> v(1 << 20);
    const double n = static_cast<double>(v.size());
    sampleTernary(v.data(), v.size(), testSeed(1), 0, fastest);
    CHECK(chiSquare({{-1, n / 3}, {0, n / 3}, {1, n / 3}}, v) < 23);
    sampleError(v.data(), v.size(), testSeed(1), 0, fastest);
    std::map<int, double> binomial;
    double weight = n;
    for (int i = 0; i < 21; ++i) weight *= static_cast<double>(i + 22) / static_cast<double>(i + 1) / 4;   // C(42,21) / 2^42
    for (int k = 0; k <= 12; ++k, weight *= static_cast<double>(22 - k) / static_cast<double>(21 + k))
        binomial[k] = binomial[-k] = weight;
    CHECK(chiSquare(binomial, v) < 60);                   // 25 degrees of freedom
    CHECK(std::abs(deviation(v) - ERROR_SIGMA) < 0.01);
    for (int8_t e : v) CHECK(std::abs(e) <= ERROR_BOUND);
}

TEST(signedToResidues) {
    const int8_t small[] = {0, 1, -1, 21, -21, 0, 0, 0};
    uint64_t out[8];
    reduceSmall(out, small, 8, 1000003);
    CHECK_EQUAL(out[2], 1000002u);
    CHECK_EQUAL(out[4], 999982u);
}

TEST_MAIN()
