// Every operation gives the same words with every kernel and however many threads share it.

#include <functional>

#include "client/encapsulation-generator.h"
#include "server/mod-raise.h"
#include "server/raise-transform.h"
#include "server/tests/server-helpers.h"
#include "scheme/encapsulation-key.h"
#include "runtime/scheduler.h"
#include "scheme/tests/scheme-helpers.h"

using namespace heml;
using namespace heml::test;

namespace {

void append(std::vector<Word>& out, const Ciphertext& c) {
    for (unsigned poly = 0; poly <= c.degree(); ++poly) {
        for (std::size_t i = 0; i < c.limbs(); ++i)
            out.insert(out.end(), c.limb(poly, i), c.limb(poly, i) + c.context()->ringDegree());
    }
}

std::vector<Word> everything(const Shape& shape, const Kernels* kernels, Executor& e) {
    Toolkit kit(Context::create(makeSpec(shape), MemoryPool::shared(), kernels), 99);
    const Context& context = *kit.context;
    const unsigned level = context.maxLevel();
    const Ciphertext a = kit.uniformCiphertext(level, 1), b = kit.uniformCiphertext(level, 1);
    const KeySwitchKey relinearization = kit.key(level, KeySwitchKey::RELINEARIZATION);
    const KeySwitchKey one = kit.key(level, context.galoisElement(1)), four = kit.key(level, context.galoisElement(4));
    const Plaintext plain = kit.plaintext(kit.periodic(0), level, true),
                    periodic = kit.plaintext(kit.periodic(5), level, true, 5);
    std::vector<Word> out;
    append(out, add(a, b, e));
    append(out, sub(a, b, e));
    append(out, negate(a, e));
    append(out, mulPlainAccumulate(&a, {{&a, &plain}, {&b, &periodic}}, e));
    append(out, addPlain(a, periodic, e));
    append(out, mulScalar(a, {-12345, 678}, e));
    append(out, addScalar(a, {-12345, 678}, e));
    append(out, mulAccumulate({{&a, &b}, {&b, &b}}, e));
    append(out, mulRelinearize(a, b, relinearization, e));
    append(out, rescale(mul(a, b, e), e));
    append(out, relinearizeRescale(mul(a, b, e), relinearization, e));
    append(out, modRaise(dropLevel(a, 0, e), level, e));
    const SecretKey secret = SecretKey::generate(kit.context, testSeed(1));
    const auto ephemeral = ephemeralContext(context, context.specialLimbs());
    const EncapsulationKey encapsulation = generateEncapsulationKey(secret, {ephemeral}, {level}, testSeed(2), e);
    append(out, modRaise(dropLevel(a, 0, e), encapsulation, level, e));
    const uint32_t element = context.galoisElement(2);
    const EncapsulationKey raising =
        generateEncapsulationKey(secret, {ephemeral, raisingContext(context)}, {level, {element}}, testSeed(3), e);
    append(out, modRaise(dropLevel(a, 0, e), raising, level, e));
    const Ciphertext low = dropLevel(a, 0, e);
    for (const Ciphertext& r : raiseTransforms({&low, &low}, raising, {{1, &plain}, {element, &periodic}}, level, e))
        append(out, r);
    for (const Ciphertext& r : rotateHoisted(a, {&one, &four}, e)) append(out, r);
    append(out, linearTransform(a, {{nullptr, {{nullptr, &plain}, {&one, &periodic}}}, {&four, {{&one, &plain}}}}, e));
    for (const Ciphertext& r :
         linearTransformRescale({&a, &b}, {{nullptr, {{&one, &plain}}}, {&four, {{nullptr, &periodic}}}}, e)) {
        append(out, r);
    }
    for (const Ciphertext& r : matrixProduct({&a, &b}, {3, -4, 5, 6}, 2, e)) append(out, r);
    append(out, linearCombination({{&a, {3, -4}}, {&b, {5, 0}}}, {7, 1}, e));
    append(out, productCombination({{&a, &b}}, {2, 0}, {{&b, {5, 0}}}, {-1, 0}, e));
    append(out, productCombination({{&a, &b}, {&a, &a}}, {1, 0}, {{&a, {3, -4}}, {&b, {5, 0}}}, {7, 1}, e));
    return out;
}

}  // namespace

TEST(kernelsAgree) {
    SerialExecutor serial;
    Scheduler scheduler(SchedulerOptions{3, nullptr, 0});
    for (const Shape& shape : testShapes()) {
        const auto want = everything(shape, &kernel::scalarKernels(), serial);
        for (const Kernels* kernels : kernel::supportedKernels()) {
            std::printf("  %s\n", kernels->name);
            CHECK(everything(shape, kernels, scheduler) == want);
        }
    }
}

TEST_MAIN()
