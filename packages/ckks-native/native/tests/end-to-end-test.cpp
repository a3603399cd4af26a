// Slots through the whole engine as the glue drives it: encode, encrypt, operations as scheduler nodes, decrypt, decode.

#include <complex>

#include "client/decryptor.h"
#include "client/encryptor.h"
#include "server/evaluator.h"
#include "client/key-generator.h"
#include "runtime/scheduler.h"
#include "scheme/tests/scheme-helpers.h"

using namespace heml;
using namespace heml::test;

namespace {

using Complex = std::complex<double>;
constexpr double SCALE = 0x1p40;

struct Client {
    explicit Client(unsigned logN, std::size_t levels)
        : context(makeContext(logN, levels, 45, 2, 2, nullptr, pool)),
          encoder(context),
          secret(SecretKey::generate(context)),
          generator(secret) {}

    std::vector<Complex> random(std::size_t n) {
        const std::vector<double> re = randomValues(n, source), im = randomValues(n, source);
        std::vector<Complex> out(n);
        for (std::size_t i = 0; i < n; ++i) out[i] = {re[i], im[i]};
        return out;
    }
    Plaintext encode(const std::vector<Complex>& values, unsigned level, double scale = SCALE, bool extended = false) {
        std::vector<double> re, im;
        for (const Complex& v : values) re.push_back(v.real()), im.push_back(v.imag());
        return encoder.encode(re.data(), im.data(), re.size(), level, scale, {extended, true}, scheduler);
    }
    Ciphertext encrypt(const std::vector<Complex>& values, unsigned level) {
        return heml::encrypt(encode(values, level), secret, scheduler).ciphertext;
    }
    std::vector<Complex> decrypt(const Ciphertext& ciphertext, std::size_t n, double scale) {
        std::vector<double> re(n), im(n);
        encoder.decode(re.data(), im.data(), n, heml::decrypt(ciphertext, secret, {}, scheduler), scale, scheduler);
        std::vector<Complex> out(n);
        for (std::size_t i = 0; i < n; ++i) out[i] = {re[i], im[i]};
        return out;
    }

    std::shared_ptr<MemoryPool> pool = MemoryPool::create();
    Random source;
    Scheduler scheduler{{2, pool, 0}};
    std::shared_ptr<const Context> context;
    Encoder encoder;
    SecretKey secret;
    KeyGenerator generator;
};

double bits(const std::vector<Complex>& got, const std::vector<Complex>& want) {
    double error = 0;
    for (std::size_t i = 0; i < got.size(); ++i) error = std::max(error, std::abs(got[i] - want[i]));
    return -std::log2(error);
}

}  // namespace

TEST(rotationsAreToTheLeftAndConjugationIs) {
    Client c(11, 3);
    for (std::size_t n : {std::size_t{1024}, std::size_t{16}}) {
        const std::vector<Complex> x = c.random(n);
        const Ciphertext ciphertext = c.encrypt(x, 2);
        for (std::int64_t steps : {1, 5, -3, 500}) {
            const KeySwitchKey key = c.generator.galoisKey(2, c.context->galoisElement(steps), c.scheduler);
            std::vector<Complex> want(n);
            for (std::size_t i = 0; i < n; ++i)
                want[i] = x[static_cast<std::size_t>(static_cast<std::int64_t>(i + 1024 * n) + steps) % n];
            CHECK(bits(c.decrypt(rotate(ciphertext, steps, key, c.scheduler), n, SCALE), want) > 25);
        }
        const KeySwitchKey conjugation = c.generator.galoisKey(2, c.context->conjugation(), c.scheduler);
        std::vector<Complex> want(n), times(n);
        for (std::size_t i = 0; i < n; ++i) want[i] = std::conj(x[i]), times[i] = x[i] * Complex(0, 1);
        CHECK(bits(c.decrypt(conjugate(ciphertext, conjugation, c.scheduler), n, SCALE), want) > 25);
        CHECK(bits(c.decrypt(mulByI(ciphertext, 1, c.scheduler), n, SCALE), times) > 25);
    }
}

TEST(productsRescaleAndSecretsSwitch) {
    Client c(11, 4);
    const std::vector<Complex> x = c.random(1024), y = c.random(1024);
    const KeySwitchKey key = c.generator.relinearizationKey(3, c.scheduler);
    std::vector<Complex> want(1024);
    for (std::size_t i = 0; i < want.size(); ++i) want[i] = x[i] * y[i];
    const Ciphertext product = mulRelinearize(c.encrypt(x, 3), c.encrypt(y, 3), key, c.scheduler);
    const double scale = SCALE * SCALE / static_cast<double>(c.context->modulus(3).value);
    CHECK(bits(c.decrypt(rescale(product, c.scheduler), 1024, scale), want) > 22);  // scale 2^35, rescaling noise 2^9 in a slot

    const SecretKey sparse = SecretKey::generateSparse(c.context, 32);
    const KeySwitchKey bridge = c.generator.switchingKey(3, sparse, 1, c.scheduler);
    const Ciphertext foreign = heml::encrypt(c.encode(x, 3), sparse, c.scheduler).ciphertext;
    CHECK(bits(c.decrypt(applyGalois(foreign, bridge, c.scheduler), 1024, SCALE), x) > 24);
}

TEST(linearTransformWithPeriodicDiagonals) {
    Client c(11, 3);
    const std::size_t n = 1024;
    const std::vector<Complex> x = c.random(n);
    std::vector<Complex> want(n);
    std::vector<KeySwitchKey> keys;
    std::vector<Plaintext> diagonals;
    for (std::int64_t giant : {0, 4}) {
        for (std::int64_t baby : {0, 1, 3}) {
            const std::vector<Complex> d = c.random(std::size_t{1} << (3 * (baby + 1) - (baby == 3 ? 2 : 0)));
            diagonals.push_back(c.encode(d, 2, SCALE, true));
            for (std::size_t i = 0; i < n; ++i) {
                const std::size_t from = i + static_cast<std::size_t>(giant);
                want[i] += d[from % d.size()] * x[(from + static_cast<std::size_t>(baby)) % n];
            }
        }
    }
    for (std::int64_t steps : {1, 3, 4}) keys.push_back(c.generator.galoisKey(2, c.context->galoisElement(steps), c.scheduler));
    std::vector<GiantStep> giants(2);
    for (std::size_t g = 0; g < 2; ++g) {
        giants[g].key = g == 0 ? nullptr : &keys[2];
        giants[g].terms = {{nullptr, &diagonals[3 * g]}, {&keys[0], &diagonals[3 * g + 1]}, {&keys[1], &diagonals[3 * g + 2]}};
    }
    const Ciphertext result = linearTransform(c.encrypt(x, 2), giants, c.scheduler);
    CHECK(bits(c.decrypt(result, n, SCALE * SCALE), want) > 24);
}

// Chains of squarings as nodes: results live in slots that the work closures share, as the glue keeps them.
TEST(schedulerChainsMatchDirectCalls) {
    Client c(10, 4);
    const KeySwitchKey key = c.generator.relinearizationKey(3, c.scheduler);
    const std::vector<Complex> x = c.random(512);
    std::vector<std::shared_ptr<Ciphertext>> results;
    std::vector<std::shared_ptr<Node>> nodes;
    const auto fresh = std::make_shared<Ciphertext>(c.encrypt(x, 3));
    for (int chain = 0; chain < 8; ++chain) {
        std::shared_ptr<Ciphertext> last = fresh;
        std::shared_ptr<Node> node;
        for (int step = 0; step < 2; ++step) {
            auto out = std::make_shared<Ciphertext>();
            node = c.scheduler.submit({node}, [&c, &key, last, out] {
                *out = rescale(relinearize(square(*last, c.scheduler), key, c.scheduler), c.scheduler);
            });
            last = out;
        }
        results.push_back(last);
        nodes.push_back(node);
    }
    for (const auto& node : nodes) c.scheduler.wait(node);
    std::vector<Complex> want(512);
    for (std::size_t i = 0; i < want.size(); ++i) want[i] = x[i] * x[i] * x[i] * x[i];
    const double q3 = static_cast<double>(c.context->modulus(3).value), q2 = static_cast<double>(c.context->modulus(2).value);
    const double once = SCALE * SCALE / q3;
    for (const auto& result : results) {
        CHECK(std::memcmp(result->limb(0, 0), results[0]->limb(0, 0), 512 * 8) == 0);
        // The last scale is 2^25; a slot's rescaling noise is about 2^8, its maximum over the slots about 2^10.
        CHECK(bits(c.decrypt(*result, 512, once * once / q2), want) > 12);
    }
}

TEST(aThousandRealProductsDoNotGrowThePool) {
    Client c(10, 4);
    const KeySwitchKey key = c.generator.relinearizationKey(3, c.scheduler);
    const Ciphertext a = c.encrypt(c.random(512), 3), b = c.encrypt(c.random(512), 3);
    const auto round = [&] { (void)rescale(mulRelinearize(a, b, key, c.scheduler), c.scheduler); };
    for (int i = 0; i < 10; ++i) round();
    const MemoryCounters before = c.pool->counters();
    for (int i = 0; i < 1000; ++i) round();
    const MemoryCounters after = c.pool->counters();
    CHECK_EQUAL(after.total, before.total);
    CHECK_EQUAL(after.buffers, before.buffers);
    CHECK_EQUAL(after.mapped, before.mapped);
    CHECK_EQUAL(after.systemCalls, before.systemCalls);
}

TEST_MAIN()
