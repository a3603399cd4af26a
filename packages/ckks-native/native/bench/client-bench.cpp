// What the client costs at a given size: encode, decode, encrypt, decrypt, keys, samplers, segments. One thread unless a
// line says otherwise; the least of several rounds, in milliseconds: elapsed, and processor time of all threads (the one
// to trust on a busy machine). Usage: client-bench [logN] [q limbs] [special] [alpha]

#include <chrono>
#include <ctime>
#include <functional>
#include <limits>

#include "client/decryptor.h"
#include "client/encryptor.h"
#include "scheme/expand-seed.h"
#include "client/key-generator.h"
#include "client/sampler.h"
#include "runtime/scheduler.h"
#include "scheme/serialize.h"
#include "scheme/tests/scheme-helpers.h"

using namespace heml;
using namespace heml::test;

namespace {

void measure(const char* name, const std::function<void()>& work, int rounds = 7) {
    double elapsed = std::numeric_limits<double>::infinity(), processor = elapsed;
    for (int i = 0; i < rounds; ++i) {
        const auto start = std::chrono::steady_clock::now();
        const std::clock_t used = std::clock();
        work();
        processor = std::min(processor, 1e3 * static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC);
        elapsed = std::min(elapsed, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    }
    std::printf("%-44s %9.3f %9.3f\n", name, elapsed, processor);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const unsigned logN = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 16;
    const std::size_t limbs = argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 24;
    const std::size_t special = argc > 3 ? static_cast<std::size_t>(std::atoi(argv[3])) : 8;
    const unsigned alpha = argc > 4 ? static_cast<unsigned>(std::atoi(argv[4])) : 8;
    const auto context = makeContext(logN, limbs, 45, special, alpha);
    const unsigned top = context->maxLevel();
    const Encoder encoder(context);
    SerialExecutor serial;
    Scheduler scheduler;
    Random random;
    std::printf("logN %u, %zu + %zu limbs, %zu digits, kernel %s, %u threads\n", logN, limbs, special, context->digitsAt(top),
                context->kernels().name, scheduler.width());

    const std::size_t n = context->slots();
    const std::vector<double> re = randomValues(n, random), im = randomValues(n, random);
    std::vector<double> outRe(n), outIm(n);
    const double scale = 0x1p40;
    Plaintext plaintext = encoder.encode(re.data(), im.data(), n, top, scale);
    measure("encode, all slots, all limbs", [&] { plaintext = encoder.encode(re.data(), im.data(), n, top, scale); });
    measure("encode, all slots, all limbs, threads",
            [&] { plaintext = encoder.encode(re.data(), im.data(), n, top, scale, {}, scheduler); });
    measure("encode, scale 2^85 (split integers)", [&] { (void)encoder.encode(re.data(), im.data(), n, top, 0x1p85); });
    measure("encode, all slots, one limb", [&] { (void)encoder.encode(re.data(), im.data(), n, 0, scale); });
    measure("encode, 1024 slots, all limbs, compact", [&] { (void)encoder.encode(re.data(), im.data(), 1024, top, scale); });
    measure("encode, 32 slots, all limbs, compact", [&] { (void)encoder.encode(re.data(), im.data(), 32, top, scale); });
    const Plaintext low = encoder.encode(re.data(), im.data(), n, 0, scale);
    measure("decode, one limb", [&] { encoder.decode(outRe.data(), outIm.data(), n, low, scale); });
    measure("decode, many limbs", [&] { encoder.decode(outRe.data(), outIm.data(), n, plaintext, scale); });

    Buffer limb = context->pool().allocate(context->ringDegree() * 8, MemoryKind::Scratch);
    std::vector<std::int8_t> small(context->ringDegree());
    const auto permute = keccakPermute8For(context->kernels().name);
    measure("sample a uniform limb, TurboSHAKE",
            [&] { expandLimb(limb.data(), *context, 0, testSeed(1), 0, Expansion::TurboShake128); });
    measure("sample a ternary polynomial", [&] { sampleTernary(small.data(), small.size(), testSeed(1), 0, permute); });
    measure("sample an error polynomial", [&] { sampleError(small.data(), small.size(), testSeed(1), 0, permute); });

    SecretKey secret = SecretKey::generate(context);
    measure("secret key", [&] { (void)SecretKey::generate(context); }, 3);
    KeyGenerator generator(secret);
    const PublicKey publicKey = generator.publicKey(top, scheduler);
    measure("encrypt, secret key", [&] { (void)encrypt(plaintext, secret, serial); });
    measure("encrypt, public key", [&] { (void)encrypt(plaintext, publicKey, serial); });
    const SeededCiphertext ciphertext = encrypt(plaintext, secret, serial);
    measure("decrypt (to 128 bits)", [&] { (void)decrypt(ciphertext.ciphertext, secret, {}, serial); });

    KeySwitchKey key = generator.relinearizationKey(top, serial);
    std::printf("switching key: %.1f MB in memory, %.1f MB seeded\n", static_cast<double>(key.bytes()) / 1e6,
                static_cast<double>(keySwitchKeyBytes(*context, top, true)) / 1e6);
    measure("make a switching key", [&] { key = generator.relinearizationKey(top, serial); }, 3);
    measure("make a switching key, threads", [&] { key = generator.galoisKey(top, context->galoisElement(1), scheduler); }, 3);
    std::vector<std::uint8_t> bytes(keySwitchKeyBytes(*context, top, true));
    measure("export a seeded key, threads", [&] { exportKeySwitchKey(bytes.data(), bytes.size(), key, true, scheduler); }, 3);
    measure(
        "import a seeded key, threads",
        [&] { (void)importKeySwitchKey(context, {top, key.galoisElement(), true, true}, bytes.data(), bytes.size(), scheduler); },
        3);
    return 0;
}
