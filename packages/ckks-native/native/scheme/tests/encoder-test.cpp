// The encoder: definition, round trips in bits for all degrees, slot counts and scales, compact storage, typed refusals.

#include <complex>
#include <limits>

#include "scheme/mixed-radix.h"
#include "runtime/scheduler.h"
#include "scheme-helpers.h"

using namespace heml;
using namespace heml::test;

namespace {

struct Slots {
    std::vector<double> re, im;
};

Slots randomSlots(size_t n, Random& random) { return {randomValues(n, random), randomValues(n, random)}; }

Slots decode(const Encoder& encoder, size_t n, const Plaintext& plaintext, double scale) {
    Slots out{std::vector<double>(n), std::vector<double>(n)};
    encoder.decode(out.re.data(), out.im.data(), n, plaintext, scale);
    return out;
}

double roundTripBits(const Encoder& encoder, size_t n, unsigned level, double scale, Random& random) {
    const Slots in = randomSlots(n, random);
    const Slots out = decode(encoder, n, encoder.encode(in.re.data(), in.im.data(), n, level, scale), scale);
    return std::min(precisionBits(out.re, in.re), precisionBits(out.im, in.im));
}

/// Rounding of 2n coefficients (each 1/2 at most, deviation 1/sqrt(12)) seen in a slot, 5 deviations; and the doubles.
double expectedBits(size_t n, double scale) {
    const double rounding = 5 * std::sqrt(static_cast<double>(2 * n) / 12) / scale;
    const double doubles = 32 * 0x1p-53 * std::sqrt(static_cast<double>(n));
    return -std::log2(rounding + doubles);
}

}  // namespace

TEST(roundTripForEveryDegreeSlotCountAndScale) {
    Random random;
    for (unsigned logN = 10; logN <= 17; ++logN) {
        const auto context = makeContext(logN, 4, 45);
        const Encoder encoder(context);
        for (size_t n = 1; n <= context->slots(); n *= (logN <= 12 ? 2 : 8)) {
            for (double logScale : {20.0, 30.0, 40.25, 60.0, 90.0}) {
                const double scale = std::exp2(logScale);
                const unsigned level = logScale > 80 ? 2 : logScale > 40 ? 1 : 0;
                const double bits = roundTripBits(encoder, n, level, scale, random);
                if (bits < expectedBits(n, scale)) {
                    std::printf("logN %u n %zu scale 2^%.2f: %.1f bits, want %.1f\n", logN, n, logScale, bits,
                                expectedBits(n, scale));
                }
                CHECK(bits >= expectedBits(n, scale));
            }
        }
    }
}

// c(zeta^(5^k)) = scale * slot_k, straight from the definition.
TEST(coefficientsMatchTheCanonicalEmbedding) {
    const auto context = makeContext(10, 1, 45);
    const Encoder encoder(context);
    Random random;
    const size_t degree = context->ringDegree();
    const uint64_t q = context->modulus(0).value;
    for (size_t n : {1u, 4u, 64u, 512u}) {
        const Slots in = randomSlots(n, random);
        const double scale = 0x1p36;
        const Plaintext plaintext = encoder.encode(in.re.data(), in.im.data(), n, 0, scale, {false, false});
        CHECK_EQUAL(plaintext.logRepeat(), 0u);
        Limb coefficients(degree);
        context->kernels().nttInverse(coefficients.data(), plaintext.limb(0), context->tables(0));
        for (size_t k = 0; k < n; k += 1 + n / 16) {
            uint64_t power = 1;
            for (size_t i = 0; i < k; ++i) power = power * 5 % (2 * degree);
            std::complex<long double> sum;
            for (size_t j = 0; j < degree; ++j) {
                const long double c = coefficients[j] > q / 2 ? -static_cast<long double>(q - coefficients[j])
                                                              : static_cast<long double>(coefficients[j]);
                sum += c * std::polar(1.0L, std::acos(-1.0L) * static_cast<long double>(power * j % (2 * degree)) /
                                                static_cast<long double>(degree));
            }
            CHECK(std::abs(static_cast<double>(sum.real()) / scale - in.re[k]) < 0x1p-28);
            CHECK(std::abs(static_cast<double>(sum.imag()) / scale - in.im[k]) < 0x1p-28);
        }
    }
}

TEST(periodicVectorsAreStoredOnceAndEqualTheFullOnes) {
    Random random;
    for (unsigned logN : {10u, 12u, 13u}) {
        const auto context = makeContext(logN, 3, 45);
        const Encoder encoder(context);
        for (size_t n = 1; n < context->slots(); n *= 2) {
            const Slots in = randomSlots(n, random);
            Slots full{std::vector<double>(context->slots()), std::vector<double>(context->slots())};
            for (size_t i = 0; i < context->slots(); ++i) full.re[i] = in.re[i % n], full.im[i] = in.im[i % n];
            const double scale = 0x1p30;                      // coarse enough for identical rounding
            const Plaintext whole = encoder.encode(full.re.data(), full.im.data(), context->slots(), 1, scale, {true, true});
            const Plaintext once = encoder.encode(in.re.data(), in.im.data(), n, 1, scale, {true, true});
            const Plaintext spread = encoder.encode(in.re.data(), in.im.data(), n, 1, scale, {true, false});
            CHECK_EQUAL(once.wordsPerLimb(), 2 * n);
            CHECK_EQUAL(once.limbs(), 4u);
            for (size_t i = 0; i < once.limbs(); ++i) {
                size_t different = 0;
                for (size_t k = 0; k < context->ringDegree(); ++k) {
                    different += spread.limb(i)[k] != once.limb(i)[k >> once.logRepeat()];
                    different += spread.limb(i)[k] != whole.limb(i)[k];
                }
                CHECK_EQUAL(different, 0u);
            }
            const Slots out = decode(encoder, n, once, scale);
            CHECK(precisionBits(out.re, in.re) > 20);
        }
    }
}

TEST(packedPlaintextsHoldTheSameWords) {
    Random random;
    for (int bits : {30, 32, 45}) {
        const auto context = makeContext(10, 3, bits);
        const Encoder encoder(context);
        for (size_t n = 1; n <= context->slots(); n *= 2) {
            const Slots in = randomSlots(n, random);
            const auto encoded = [&](bool packed) {
                return encoder.encode(in.re.data(), in.im.data(), n, 1, 0x1p26, {.extended = true, .packed = packed});
            };
            const Plaintext words = encoded(false), packed = encoded(true);
            CHECK(packed.isPacked());
            const size_t special = 2 * 2 * n * 8, q = 2 * 2 * n * (bits <= 32 ? 4 : 8);
            CHECK_EQUAL(packed.bytes(), special + q);
            std::vector<uint64_t> copy(words.wordsPerLimb());
            for (size_t i = 0; i < words.limbs(); ++i) {
                packed.copyLimb(copy.data(), i);
                CHECK(std::equal(copy.begin(), copy.end(), words.limb(i)));
            }
            CHECK_THROWS_TEXT(packed.limb(0), InvalidArgumentError, "packed");
        }
    }
}

TEST(kernelsAndThreadsGiveTheSameWords) {
    Random random;
    Scheduler scheduler({3, nullptr, 0});
    const Slots in = randomSlots(1024, random);
    std::vector<std::vector<uint64_t>> results;
    for (const Kernels* kernels : kernel::supportedKernels()) {
        const auto context = makeContext(11, 4, 45, 2, 2, kernels);
        const Encoder encoder(context);
        for (double scale : {0x1p40, 0x1p80}) {
            const Plaintext one = encoder.encode(in.re.data(), in.im.data(), 1024, 3, scale, {true, true});
            const Plaintext many = encoder.encode(in.re.data(), in.im.data(), 1024, 3, scale, {true, true}, scheduler);
            CHECK(std::memcmp(one.limb(0), many.limb(0), one.bytes()) == 0);
            results.emplace_back(one.limb(0), one.limb(0) + one.bytes() / 8);
        }
    }
    for (size_t i = 2; i < results.size(); ++i) CHECK(results[i] == results[i - 2]);
}

TEST(realVectorsAndScalars) {
    const auto context = makeContext(11, 2, 45);
    const Encoder encoder(context);
    Random random;
    const std::vector<double> in = randomValues(1024, random);
    const Plaintext plaintext = encoder.encode(in.data(), nullptr, 1024, 1, 0x1p40);
    std::vector<double> out(1024);
    encoder.decode(out.data(), nullptr, 1024, plaintext, 0x1p40);
    CHECK(precisionBits(out, in) > 30);
    const double number = -2.5;
    const Plaintext constant = encoder.encode(&number, nullptr, 1, 0, 0x1p30);
    CHECK_EQUAL(constant.wordsPerLimb(), 2u);
    CHECK_EQUAL(constant.limb(0)[0], context->modulus(0).value - 5 * (uint64_t{1} << 29));
    CHECK_EQUAL(constant.limb(0)[1], constant.limb(0)[0]);
}

TEST(mixedRadixIsExactWhereDoublesAre) {
    const auto context = makeContext(10, 4, 36, 1, 1);
    Random random;
    for (size_t limbs = 1; limbs <= 4; ++limbs) {
        const MixedRadix radix(*context, limbs);
        for (int trial = 0; trial < 2000; ++trial) {
            const unsigned bits = static_cast<unsigned>(1 + random.below(std::min<size_t>(34 * limbs, 120)));
            unsigned __int128 magnitude = (static_cast<unsigned __int128>(random.next()) << 64 | random.next()) >> (128 - bits);
            const __int128 value = random.below(2) == 0 ? static_cast<__int128>(magnitude) : -static_cast<__int128>(magnitude);
            uint64_t residues[4];
            const uint64_t* pointers[4];
            for (size_t i = 0; i < limbs; ++i) {
                const __int128 p = context->modulus(i).value;
                residues[i] = static_cast<uint64_t>((value % p + p) % p);
                pointers[i] = &residues[i];
            }
            const double want = static_cast<double>(value);
            CHECK(std::abs(radix.value(pointers, 0) - want) <= std::abs(want) * 0x1p-51);
        }
    }
}

TEST(refusals) {
    const auto context = makeContext(10, 2, 45);
    const Encoder encoder(context);
    std::vector<double> values(512, 1.0);
    CHECK_THROWS_TEXT(encoder.encode(values.data(), nullptr, 3, 0, 1), InvalidArgumentError, "power of two");
    CHECK_THROWS_TEXT(encoder.encode(values.data(), nullptr, 1024, 0, 1), InvalidArgumentError, "512");
    CHECK_THROWS_TEXT(encoder.encode(values.data(), nullptr, 512, 0, -1), InvalidArgumentError, "scale");
    CHECK_THROWS_TEXT(encoder.encode(values.data(), nullptr, 512, 2, 1), LevelError, "levels");
    CHECK_THROWS_TEXT(encoder.encode(values.data(), nullptr, 512, 0, 0x1p45), InvalidArgumentError, "value too large for scale");
    CHECK_THROWS_TEXT(encoder.encode(values.data(), nullptr, 512, 1, 0x1p120), InvalidArgumentError, "value too large for scale");
    (void)encoder.encode(values.data(), nullptr, 512, 0, 0x1p43);
    (void)encoder.encode(values.data(), nullptr, 512, 1, 0x1p88);
    CHECK_THROWS_TEXT(encoder.encode(values.data(), nullptr, 512, 0, 1, {.secret = true, .packed = true}), InvalidArgumentError,
                      "secret");
    values[77] = std::nan("");
    CHECK_THROWS_TEXT(encoder.encode(values.data(), nullptr, 512, 0, 1), InvalidArgumentError, "slot 77 is NaN");
    values[77] = -std::numeric_limits<double>::infinity();
    CHECK_THROWS_TEXT(encoder.encode(values.data(), values.data(), 512, 0, 1), InvalidArgumentError, "slot 77 is infinite");
    values[77] = 1e300;
    CHECK_THROWS_TEXT(encoder.encode(values.data(), nullptr, 512, 0, 1), InvalidArgumentError, "value too large for scale");
    const Encoder other(makeContext(11, 2, 45));
    const Plaintext plaintext = encoder.encode(values.data(), nullptr, 1, 0, 1);
    CHECK_THROWS_TEXT(other.decode(values.data(), nullptr, 1, plaintext, 1), ParameterMismatchError, "parameters");
}

TEST_MAIN()
