// SHAKE and the uniform sampler: known answers (from the standard's examples and an independent implementation of
// docs/notes/sampling.md), agreement of instruction sets, and statistics under a fixed seed.

#include "scheme-helpers.h"
#include "scheme/streams.h"
#include "scheme/uniform-sampler.h"

using namespace heml;
using namespace heml::test;

namespace {

std::string hex(Shake& shake, size_t count) {
    std::string text;
    std::vector<uint8_t> bytes(count);
    shake.squeeze(bytes.data(), count);
    char two[3];
    for (uint8_t byte : bytes) text += (std::snprintf(two, sizeof two, "%02x", byte), two);
    return text;
}

std::vector<KeccakPermute8> permutationsHere() {
    std::vector<KeccakPermute8> found;
    for (const Kernels* k : kernel::supportedKernels()) found.push_back(keccakPermute8For(k->name));
    return found;
}

}  // namespace

TEST(shakeKnownAnswers) {
    Shake empty128(Shake::RATE_128), empty256(Shake::RATE_256);
    CHECK_EQUAL(hex(empty128, 32), "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
    CHECK_EQUAL(hex(empty256, 32), "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f");
  // 200 bytes of a3: the standard's 1600-bit message, longer than either rate
    const std::vector<uint8_t> message(200, 0xA3);
    Shake long128(Shake::RATE_128), long256(Shake::RATE_256);
    long128.absorb(message.data(), 77).absorb(message.data(), 123);
    long256.absorb(message.data(), 200);
    CHECK_EQUAL(hex(long128, 16), "131ab8d2b594946b9c81333f9bb6e0ce");
    CHECK_EQUAL(hex(long256, 16), "cd8a920ed141aa0407a22d59288652e9");
    hex(long128, 301);                                    // squeezing in pieces continues the stream
    Shake again(Shake::RATE_128);
    again.absorb(message.data(), 200);
    hex(again, 317);
    CHECK_EQUAL(hex(long128, 40), hex(again, 40));
    CHECK_THROWS(again.absorb(message.data(), 1));
}

// RFC 9861, section 5, domain 0x1F.
TEST(turboShakeKnownAnswers) {
    const auto pattern = [](size_t count) {
        std::vector<uint8_t> bytes(count);
        for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<uint8_t>(i % 251);
        return bytes;
    };
    const std::pair<size_t, const char*> answers[] = {{0, "1e415f1c5983aff2169217277d17bb538cd945a397ddec541f1ce41af2c1b74c"},
                                                      {1, "55cedd6f60af7bb29a4042ae832ef3f58db7299f893ebb9247247d856958daa9"},
                                                      {17, "9c97d036a3bac819db70ede0ca554ec6e4c2a1a4ffbfd9ec269ca6a111161233"},
                                                      {289, "96c77c279e0126f7fc07c9b07f5cdae1e0be60bdbe10620040e75d7223a624d2"},
                                                      {4913, "d4976eb56bcf118520582b709f73e1d6853e001fdaf80e1b13e0d0599d5fb372"}};
    for (const auto& [count, answer] : answers) {
        Shake turbo(Shake::RATE_128, TURBO_ROUNDS);
        turbo.absorb(pattern(count).data(), count);
        CHECK_EQUAL(hex(turbo, 32), answer);
    }
    Shake far(Shake::RATE_128, TURBO_ROUNDS);
    hex(far, 10000);
    CHECK_EQUAL(hex(far, 32), "a3b9b0385900ce761f22aed548e754da10a5242d62e8c658e3f3a923a7555607");
}

TEST(eightWayKeccakAgrees) {
    Random random;
    alignas(64) uint64_t states[KECCAK_WORDS * KECCAK_LANES], got[KECCAK_WORDS * KECCAK_LANES];
    for (uint64_t& word : states) word = random.next();
    for (size_t rounds : {KECCAK_ROUNDS, TURBO_ROUNDS})
        for (KeccakPermute8 permute : permutationsHere()) {
            std::memcpy(got, states, sizeof got);
            permute(got, rounds);
            for (size_t lane = 0; lane < KECCAK_LANES; ++lane) {
                uint64_t one[KECCAK_WORDS];
                for (size_t w = 0; w < KECCAK_WORDS; ++w) one[w] = states[KECCAK_LANES * w + lane];
                keccakPermute(one, rounds);
                for (size_t w = 0; w < KECCAK_WORDS; ++w) CHECK_EQUAL(got[KECCAK_LANES * w + lane], one[w]);
            }
        }
}

TEST(seedsDiffer) {
    CHECK(randomSeed() != randomSeed());
    const Seed parent = testSeed(0);
    CHECK(deriveSeed(parent, "a", 0) != deriveSeed(parent, "a", 1));
    CHECK(deriveSeed(parent, "a", 0) != deriveSeed(parent, "b", 0));
    CHECK(deriveSeed(parent, "a", 0) == deriveSeed(parent, "a", 0));
}

TEST(uniformKnownAnswers) {
    struct Answer {
        Expansion expansion;
        uint64_t p;
        size_t length;
        uint64_t at0, at127, at128, last, hash;
    };
    constexpr uint64_t BELOW = (uint64_t{1} << 46) - 131071, ABOVE = (uint64_t{1} << 46) + 131073;
    const Answer answers[] = {
        {Expansion::Shake128, BELOW, 65536, 20151522659964, 57694381793873, 54972213117636, 24966449929884, 0xd6f3370cb4ccc2bb},
        {Expansion::Shake128, ABOVE, 65536, 29937413355639, 34119501973538, 5731164075627, 39092153706110, 0x19df3b62174c95b9},
        {Expansion::Shake128, 97, 65536, 28, 77, 90, 34, 0xb8cdb140017a64eb},
        {Expansion::TurboShake128, BELOW, 4096, 67872977740623, 68112609304255, 45078565405334, 35291795564379,
         0xbd9d7f2bb63a4a75},
        {Expansion::TurboShake128, ABOVE, 4096, 54996286895420, 62952773453124, 21025891553774, 15526361939589,
         0x6c914228fb5f78d4},
        {Expansion::TurboShake128, 97, 4096, 59, 89, 74, 36, 0xa5be6a20b63fb220}};
    for (const Answer& answer : answers) {
        for (const Kernels* k : kernel::supportedKernels()) {
            std::vector<uint64_t> limb(answer.length);
            sampleUniform(limb.data(), 0, limb.size(), answer.p, testSeed(0), 7, answer.expansion, *k);
            uint64_t hash = 0;
            for (uint64_t v : limb) hash = hash * 1000003 + v;
            CHECK_EQUAL(limb[0], answer.at0);
            CHECK_EQUAL(limb[127], answer.at127);
            CHECK_EQUAL(limb[128], answer.at128);
            CHECK_EQUAL(limb.back(), answer.last);
            CHECK_EQUAL(hash, answer.hash);
            // any cut gives the same limb
            const size_t from = answer.length / 4 + 128, length = answer.length / 8 - 72;
            std::vector<uint64_t> part(length);
            sampleUniform(part.data(), from, from + length, answer.p, testSeed(0), 7, answer.expansion, *k);
            CHECK(std::memcmp(part.data(), limb.data() + from, length * 8) == 0);
        }
    }
}

TEST(uniformIsUniform) {
    const uint64_t p = (uint64_t{1} << 45) + 1234567;     // awkward: nearly half the words are rejected
    std::vector<uint64_t> limb(1 << 17);
    sampleUniform(limb.data(), 0, limb.size(), p, testSeed(1), 0, Expansion::TurboShake128, kernel::activeKernels());
    std::vector<double> bins(256);
    for (uint64_t v : limb) {
        CHECK(v < p);
        bins[static_cast<size_t>(static_cast<unsigned __int128>(v) * 256 / p)] += 1;
    }
    double chi = 0;
    for (double count : bins) chi += (count - 512) * (count - 512) / 512;
    CHECK(chi > 170 && chi < 350);                        // 255 degrees of freedom: 10^-5 each side
}

TEST_MAIN()
