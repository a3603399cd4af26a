// Micro-benchmarks of the kernels, one JSON line per measurement.
// Each operation is timed in many short runs after a warm-up, and the shortest mean is reported: on a
// shared machine the minimum is what the code can do. "hot" data stay in the cache between runs, "cold"
// ones rotate through far more limbs than fit. Correctness is the tests' business.
// Usage: kernel-bench [part of an operation's name] [logN]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <vector>

#include "kernel/tests/kernel-helpers.h"

using namespace heml::kernel;
using heml::test::Limb;
using heml::test::primesBelow;
using heml::test::Random;
using heml::test::randomLimb;

namespace {

const char* wantedOperation = "";

double microseconds(const std::function<void()>& body) {
    using Clock = std::chrono::steady_clock;
    const auto timed = [&](int times) {
        const auto start = Clock::now();
        for (int i = 0; i < times; ++i) body();
        return std::chrono::duration<double, std::micro>(Clock::now() - start).count() / times;
    };
    const double first = std::min(timed(1), timed(1));
    const int times = std::clamp(static_cast<int>(100.0 / first), 1, 1000);
    const int rounds = std::clamp(static_cast<int>(400000.0 / (first * times)), 10, 3000);
    double best = first;
    for (int round = 0; round < rounds; ++round) best = std::min(best, timed(times));
    return best;
}

void report(const Kernels& k, const char* operation, int logN, int bits, const std::function<void()>& body) {
    if (std::strstr(operation, wantedOperation) == nullptr) return;
    const double us = microseconds(body);
    std::printf("{\"kernel\":\"%s\",\"op\":\"%s\",\"logN\":%d,\"bits\":%d,\"us\":%.2f}\n", k.name, operation, logN, bits, us);
    std::fflush(stdout);
}

void benchTransforms(const Kernels& k, int logN, int bits) {
    Random random(1);
    const NttTables tables(primesBelow(bits, logN, 1)[0], logN);
    const std::size_t n = tables.degree();
    const Limb src = randomLimb(n, tables.modulus(), random);
    Limb dst(n);
    report(k, "nttForward", logN, bits, [&] { k.nttForward(dst.data(), src.data(), tables); });
    report(k, "nttForwardInPlace", logN, bits, [&] { k.nttForward(dst.data(), dst.data(), tables); });
    report(k, "nttInverse", logN, bits, [&] { k.nttInverse(dst.data(), src.data(), tables); });
    report(k, "nttInverseInPlace", logN, bits, [&] { k.nttInverse(dst.data(), dst.data(), tables); });
}

void benchColdTransforms(const Kernels& k, int logN, int bits) {
    Random random(2);
    std::vector<NttTables> tables;
    for (const Modulus& m : primesBelow(bits, logN, 24)) tables.emplace_back(m, logN);
    std::vector<Limb> limbs;
    for (std::size_t i = 0; i < 96; ++i) limbs.push_back(randomLimb(tables[0].degree(), tables[i % 24].modulus(), random));
    std::size_t next = 0;
    report(k, "nttForwardCold", logN, bits, [&] {
        Word* limb = limbs[next % 96].data();
        k.nttForward(limb, limb, tables[next++ % 24]);
    });
    report(k, "nttInverseCold", logN, bits, [&] {
        Word* limb = limbs[next % 96].data();
        k.nttInverse(limb, limb, tables[next++ % 24]);
    });
}

void benchElementwise(const Kernels& k, int logN, int bits) {
    Random random(3);
    const Modulus m = primesBelow(bits, logN, 1)[0];
    const Modulus other = primesBelow(bits, logN, 2)[1];
    const std::size_t n = std::size_t{1} << logN;
    const Limb a = randomLimb(n, m, random), b = randomLimb(n, m, random);
    Limb c = randomLimb(n, m, random), d(n), e(n);
    std::vector<std::uint8_t> bytes(6 * n), copy(6 * n);
    const AutomorphismTable rotation(logN, 243);
    const Word s = random.below(m.value);
    report(k, "add", logN, bits, [&] { k.add(c.data(), a.data(), b.data(), n, m); });
    report(k, "mul", logN, bits, [&] { k.mul(c.data(), a.data(), b.data(), n, m); });
    report(k, "mulAdd", logN, bits, [&] { k.mulAdd(c.data(), a.data(), b.data(), n, m); });
    report(k, "mulScalar", logN, bits, [&] { k.mulScalar(c.data(), a.data(), s, n, m); });
    report(k, "subMulScalar", logN, bits, [&] { k.subMulScalar(c.data(), a.data(), b.data(), s, n, m); });
    report(k, "tensorProduct", logN, bits,
           [&] { k.tensorProduct(c.data(), d.data(), e.data(), a.data(), b.data(), b.data(), a.data(), n, m); });
    report(k, "reduceIntoCentred", logN, bits, [&] { k.reduceInto(c.data(), a.data(), n, m, other, Centring::centred); });
    report(k, "permute", logN, bits, [&] { k.permute(c.data(), a.data(), rotation, 0, n); });
    report(k, "pack48", logN, bits, [&] { k.pack48(bytes.data(), a.data(), n); });
    report(k, "unpack48", logN, bits, [&] { k.unpack48(c.data(), bytes.data(), n); });
    report(k, "pack32", logN, bits, [&] { k.pack32(bytes.data(), a.data(), n); });
    report(k, "unpack32", logN, bits, [&] { k.unpack32(c.data(), bytes.data(), n); });
    report(k, "checkedCopy48", logN, bits, [&] { k.checkedCopy48(copy.data(), bytes.data(), n, m); });
}

void benchConversion(const Kernels& k, int logN, int bits, std::size_t sources, std::size_t targets) {
    Random random(4);
    const std::vector<Modulus> primes = primesBelow(bits, logN, sources + targets);
    const BaseConverter converter({primes.begin(), primes.begin() + static_cast<std::ptrdiff_t>(sources)},
                                  {primes.begin() + static_cast<std::ptrdiff_t>(sources), primes.end()});
    const std::size_t n = std::size_t{1} << logN;
    std::vector<Limb> in, out;
    std::vector<const Word*> from;
    std::vector<Word*> to;
    for (std::size_t i = 0; i < sources; ++i) in.push_back(randomLimb(n, primes[i], random));
    for (std::size_t j = 0; j < targets; ++j) out.emplace_back(n);
    for (const Limb& limb : in) from.push_back(limb.data());
    for (Limb& limb : out) to.push_back(limb.data());
    const std::string name = "baseConvert" + std::to_string(sources) + "to" + std::to_string(targets);
    report(k, name.c_str(), logN, bits,
           [&] { k.baseConvert({from.data(), true, to.data(), nullptr, targets, 0, n}, converter); });
}

void benchSums(const Kernels& k, int logN, int bits) {
    Random random(5);
    const Modulus m = primesBelow(bits, logN, 1)[0];
    const std::size_t n = std::size_t{1} << logN;
    const std::size_t digits = 3, babies = 16, giants = 4, columns = 64, rows = 16;
    std::vector<Limb> limbs;
    for (std::size_t i = 0; i < 2 * digits * babies + 8; ++i) limbs.push_back(randomLimb(n, m, random));
    std::vector<std::vector<std::uint8_t>> packed(2 * digits * babies, std::vector<std::uint8_t>(6 * n, 7));
    std::vector<const Word*> sources;
    for (const Limb& limb : limbs) sources.push_back(limb.data());
    std::vector<KeyLimb> plainKeys(sources.begin(), sources.end()), packedKeys;
    for (const auto& bytes : packed) packedKeys.push_back(bytes.data());
    const AutomorphismTable rotation(logN, 243);
    std::vector<Limb> out;
    std::vector<Word*> targets;
    for (std::size_t i = 0; i < rows; ++i) out.emplace_back(n);
    for (Limb& limb : out) targets.push_back(limb.data());

    report(k, "innerProduct3", logN, bits, [&] {
        k.innerProduct({targets[0], targets[1], sources.data(), plainKeys.data(), plainKeys.data() + digits, digits, nullptr,
                        Packing::words, nullptr, nullptr, 0, n},
                       m);
    });
    report(k, "innerProduct3Permuted", logN, bits, [&] {
        k.innerProduct({targets[0], targets[1], sources.data(), plainKeys.data(), plainKeys.data() + digits, digits, &rotation,
                        Packing::words, nullptr, nullptr, 0, n},
                       m);
    });
    report(k, "innerProduct3Packed", logN, bits, [&] {
        k.innerProduct({targets[0], targets[1], sources.data(), packedKeys.data(), packedKeys.data() + digits, digits, &rotation,
                        Packing::six, nullptr, nullptr, 0, n},
                       m);
    });
    std::vector<RepeatedLimb> plaintexts;
    for (std::size_t i = 0; i < giants * babies; ++i) plaintexts.push_back({sources[i % 8], 4});
    std::vector<HoistedStep> steps;
    for (std::size_t b = 0; b < babies; ++b) {
        steps.push_back({&rotation, packedKeys.data() + 2 * digits * b, packedKeys.data() + 2 * digits * b + digits,
                         plaintexts.data() + giants * b});
    }
    const HoistedInput input{sources.data() + 90, sources[95], sources[96], targets.data(), targets.data() + giants};
    report(k, "hoistedProduct16x4", logN, bits,
           [&] { k.hoistedProduct({&input, 1, digits, steps.data(), babies, giants, Packing::six, false, 0, n}, m); });
    std::vector<Word> weights(rows * columns);
    for (Word& w : weights) w = random.below(m.value);
    report(k, "matrixProduct16x64", logN, bits,
           [&] { k.matrixProduct({targets.data(), sources.data(), weights.data(), columns, rows, columns, false, 0, n}, m); });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) wantedOperation = argv[1];
    const int onlyLogN = argc > 2 ? std::atoi(argv[2]) : 0;
    for (int logN : {12, 13, 14, 15, 16, 17}) {
        if (onlyLogN != 0 && logN != onlyLogN) continue;
        for (const Kernels* k : supportedKernels()) {
            for (int bits : {45, 48}) benchTransforms(*k, logN, bits);
            if (logN != 16 && onlyLogN == 0) continue;
            if (logN >= 15) benchColdTransforms(*k, logN, 45);
            benchElementwise(*k, logN, 46);
            benchConversion(*k, logN, 46, 8, 24);
            benchConversion(*k, logN, 46, 12, 24);
            benchConversion(*k, logN, 46, 1, 8);
            benchSums(*k, logN, 46);
        }
    }
    return 0;
}
