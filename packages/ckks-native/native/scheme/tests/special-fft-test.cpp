// The special FFT against its definition, and all instruction sets against each other, bit for bit.

#include <cmath>
#include <complex>

#include "scheme/bit-reversal.h"
#include "scheme/special-fft.h"
#include "kernel/kernels.h"
#include "testing/test.h"

using namespace heml;
using heml::test::Random;
using Complex = std::complex<long double>;

namespace {

std::vector<const EncodeKernels*> kernelsHere() {
    std::vector<const EncodeKernels*> found;
    for (const kernel::Kernels* k : kernel::supportedKernels()) found.push_back(&encodeKernelsFor(k->name));
    return found;
}

std::vector<double> values(size_t n, Random& random, double size = 1) {
    std::vector<double> out(n);
    for (double& v : out) v = (static_cast<double>(random.next() >> 11) * 0x1p-52 - 1) * size;
    return out;
}

bool same(const std::vector<double>& a, const std::vector<double>& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

}  // namespace

TEST(bitReversalVisitsTheReversedIndex) {
    for (unsigned log = 0; log <= 12; ++log) {
        const size_t n = size_t{1} << log;
        forBitReversed(n, [&](size_t i, size_t reversed) {
            size_t want = 0;
            for (unsigned b = 0; b < log; ++b) want |= (i >> b & 1) << (log - 1 - b);
            CHECK_EQUAL(reversed, want);
        });
    }
}

TEST(evaluatesAtThePowersOfFive) {
    const SpecialRoots roots(512);
    Random random;
    for (size_t n = 1; n <= 512; n *= 2) {
        const std::vector<double> re = values(n, random), im = values(n, random);
        std::vector<Complex> want(n);
        size_t power = 1;
        for (size_t k = 0; k < n; ++k, power = power * 5 % (4 * n)) {
            for (size_t j = 0; j < n; ++j) {
                const long double angle =
                    2 * std::acos(-1.0L) * static_cast<long double>(power * j % (4 * n)) / static_cast<long double>(4 * n);
                want[k] += Complex(re[j], im[j]) * std::polar(1.0L, angle);
            }
        }
        for (const EncodeKernels* kernels : kernelsHere()) {
            std::vector<double> a = re, b = im;
            kernels->forward(a.data(), b.data(), n, roots.re.data(), roots.im.data());
            long double error = 0;
            forBitReversed(n, [&](size_t i, size_t k) { error = std::max(error, std::abs(want[k] - Complex(a[i], b[i]))); });
            CHECK(error < 1e-15L * static_cast<long double>(4 * n));
            kernels->inverse(a.data(), b.data(), n, roots.re.data(), roots.im.data());
            for (size_t i = 0; i < n; ++i) CHECK(std::abs(a[i] / static_cast<double>(n) - re[i]) < 1e-14);
        }
    }
}

TEST(instructionSetsAgreeBitForBit) {
    const SpecialRoots roots(8192);
    Random random;
    const EncodeKernels& scalar = encodeKernelsFor("scalar");
    for (size_t n : {8u, 32u, 64u, 1024u, 2048u, 8192u}) {
        const std::vector<double> re = values(n, random), im = values(n, random), big = values(n, random, 0x1p98);
        const std::vector<double> small = values(n, random, 0x1p50);
        for (const EncodeKernels* kernels : kernelsHere()) {
            std::vector<double> a = re, b = im, c = re, d = im;
            kernels->inverse(a.data(), b.data(), n, roots.re.data(), roots.im.data());
            scalar.inverse(c.data(), d.data(), n, roots.re.data(), roots.im.data());
            CHECK(same(a, c) && same(b, d));
            kernels->forward(a.data(), b.data(), n, roots.re.data(), roots.im.data());
            scalar.forward(c.data(), d.data(), n, roots.re.data(), roots.im.data());
            CHECK(same(a, c) && same(b, d));
            CHECK_EQUAL(kernels->scale(a.data(), n, 3.7), scalar.scale(c.data(), n, 3.7));
            std::vector<double> high(n), highWant(n), low = big, lowWant = big;
            kernels->split(high.data(), low.data(), n);
            scalar.split(highWant.data(), lowWant.data(), n);
            CHECK(same(high, highWant) && same(low, lowWant));
            for (size_t i = 0; i < n; ++i) CHECK_EQUAL(high[i] * 0x1p48 + low[i], std::nearbyint(big[i]));
            std::vector<double> rounded = small;
            kernels->round(rounded.data(), n);
            for (size_t i = 0; i < n; ++i) CHECK_EQUAL(rounded[i], std::nearbyint(small[i]));
            for (uint64_t p : {(uint64_t{1} << 20) + 7, (uint64_t{1} << 47) - 115, (uint64_t{1} << 48) - 59}) {
                std::vector<uint64_t> out(n);
                kernels->reduce(out.data(), rounded.data(), n, p, 0x1p50);
                for (size_t i = 0; i < n; ++i) {
                    const int64_t rest = static_cast<int64_t>(rounded[i]) % static_cast<int64_t>(p);
                    CHECK_EQUAL(out[i], static_cast<uint64_t>(rest < 0 ? rest + static_cast<int64_t>(p) : rest));
                }
            }
        }
    }
}

TEST_MAIN()
