// The double-hoisted linear transform equals the sum of rotated, multiplied, rotated ciphertexts, up to key-switching noise.

#include "scheme/encoder.h"
#include "server-helpers.h"

using namespace heml;
using namespace heml::test;

namespace {

struct Transform {
    Toolkit& kit;
    unsigned level;
    std::vector<KeySwitchKey> keys;
    std::vector<Rns> values;
    std::vector<Plaintext> plaintexts;
    std::vector<GiantStep> giants;

    void addTerm(const KeySwitchKey* key, bool extended, unsigned logRepeat, unsigned above) {
        values.push_back(kit.periodic(logRepeat, 1 << 10));
        plaintexts.push_back(kit.plaintext(values.back(), level + above, extended, logRepeat));
        giants.back().terms.push_back({key, nullptr});
    }
    void link() {   // once plaintexts no longer move
        std::size_t next = 0;
        for (GiantStep& giant : giants) {
            for (BabyTerm& term : giant.terms) term.plaintext = &plaintexts[next++];
        }
    }
    Rns expected(const Rns& phase) const {
        std::size_t next = 0;
        Rns total;
        for (const GiantStep& giant : giants) {
            Rns inner;
            for (const BabyTerm& term : giant.terms) {
                const Rns rotated = term.key ? kit.automorphism(phase, term.key->galoisElement()) : phase;
                const Rns product = kit.mul(rotated, values[next++]);
                inner = inner.empty() ? product : kit.add(inner, product);
            }
            if (giant.key) inner = kit.automorphism(inner, giant.key->galoisElement());
            total = total.empty() ? inner : kit.add(total, inner);
        }
        return total;
    }
};

void checkCase(Transform& c) {
    c.link();
    const Ciphertext a = c.kit.uniformCiphertext(c.level, 1);
    ScatteringExecutor executor;
    SerialExecutor serial;
    const Ciphertext got = linearTransform(a, c.giants, executor);
    CHECK_EQUAL(got.level(), c.level);
  // Rounding noise of a key switch, times a plaintext of 10 bits and sqrt(N) when a rounding is inside the product.
    const double error = c.kit.bits(c.kit.sub(c.kit.phase(got), c.expected(c.kit.phase(a))));
    CHECK(error < c.kit.context->logN() + 8 + 10);
    const Ciphertext again = linearTransform(a, c.giants, serial);
    for (unsigned poly = 0; poly < 2; ++poly) CHECK(c.kit.poly(again, poly) == c.kit.poly(got, poly));
}

void forShapes(const std::function<void(Toolkit&, unsigned level)>& body) {
    std::uint64_t stream = 50;
    for (const Shape& shape : testShapes()) {
        Toolkit kit(Context::create(makeSpec(shape)), stream++);
        for (unsigned level : {kit.context->maxLevel(), kit.context->maxLevel() - 1, 1u}) body(kit, level);
    }
}

std::vector<KeySwitchKey> makeKeys(Toolkit& kit, std::initializer_list<std::int64_t> steps) {
    std::vector<KeySwitchKey> keys;
    for (std::int64_t s : steps) keys.push_back(kit.key(kit.context->maxLevel(), kit.context->galoisElement(s)));
    return keys;
}

}  // namespace

TEST(babyAndGiantSteps) {
    forShapes([](Toolkit& kit, unsigned level) {
        Transform c{kit, level, makeKeys(kit, {1, 2, 3, 4, 8}), {}, {}, {}};
        const unsigned above = level < kit.context->maxLevel() ? 1 : 0;
        for (const KeySwitchKey* giant : std::initializer_list<const KeySwitchKey*>{nullptr, &c.keys[3], &c.keys[4]}) {
            c.giants.push_back({giant, {}});
            c.addTerm(nullptr, false, 0, 0);
            c.addTerm(&c.keys[0], true, 0, above);
            if (giant) c.addTerm(&c.keys[1], true, 3, 0);
            c.addTerm(&c.keys[2], true, 1, above);
        }
        checkCase(c);
    });
}

TEST(oneGiantStepWithoutKey) {
    forShapes([](Toolkit& kit, unsigned level) {
        Transform c{kit, level, makeKeys(kit, {1, -5, 100}), {}, {}, {{nullptr, {}}}};
        for (const KeySwitchKey& key : c.keys) c.addTerm(&key, true, 0, 0);
        c.addTerm(nullptr, true, 0, 0);
        c.addTerm(&c.keys[0], true, 2, 0);   // the same baby step again
        checkCase(c);
    });
}

TEST(identitiesOnly) {
    forShapes([](Toolkit& kit, unsigned level) {
        Transform c{kit, level, makeKeys(kit, {6}), {}, {}, {{nullptr, {}}}};
        c.addTerm(nullptr, false, 0, 0);
        checkCase(c);
        Transform giant{kit, level, makeKeys(kit, {6}), {}, {}, {}};
        giant.giants.push_back({&giant.keys[0], {}});
        giant.addTerm(nullptr, false, 0, 0);
        checkCase(giant);
    });
}

TEST(giantStepsWithoutKeyAreOne) {
    forShapes([](Toolkit& kit, unsigned level) {
        const auto keys = makeKeys(kit, {1, 2, 8});
        std::vector<Plaintext> plaintexts;
        for (unsigned i = 0; i < 4; ++i) plaintexts.push_back(kit.plaintext(kit.periodic(i, 1 << 10), level, true, i));
        const BabyTerm terms[] = {{nullptr, &plaintexts[0]}, {&keys[0], &plaintexts[1]}, {&keys[0], &plaintexts[2]}};
        const GiantStep rotated{&keys[2], {{&keys[1], &plaintexts[3]}}};
        const Ciphertext a = kit.uniformCiphertext(level, 1);
        ScatteringExecutor executor;
        for (const bool more : {false, true}) {
            std::vector<GiantStep> one = {{nullptr, {terms[0], terms[1], terms[2]}}},
                                   three = {{nullptr, {terms[0]}}, {nullptr, {terms[1]}}, {nullptr, {terms[2]}}};
            if (more) one.push_back(rotated);
            if (more) three.insert(three.begin() + 1, rotated);
            const Ciphertext want = linearTransform(a, one, executor), got = linearTransform(a, three, executor);
            for (unsigned poly = 0; poly < 2; ++poly) CHECK(kit.poly(got, poly) == kit.poly(want, poly));
        }
    });
}

// One, two and three at a time, with and without giant steps.
TEST(severalAtOnceGiveTheSameBits) {
    forShapes([](Toolkit& kit, unsigned level) {
        const auto keys = makeKeys(kit, {1, 2, 8, -3});
        std::vector<Plaintext> plaintexts;
        for (unsigned i = 0; i < 4; ++i) plaintexts.push_back(kit.plaintext(kit.periodic(i, 1 << 10), level, true, i));
        std::vector<GiantStep> giants = {{nullptr, {{nullptr, &plaintexts[0]}, {&keys[0], &plaintexts[1]}}}};
        std::vector<Ciphertext> inputs;
        for (unsigned i = 0; i < 3; ++i) inputs.push_back(kit.uniformCiphertext(level, 1));
        ScatteringExecutor executor;
        for (unsigned form = 0; form < 3; ++form) {
            std::vector<const Ciphertext*> some;
            for (const Ciphertext& input : inputs) {
                some.push_back(&input);
                const auto got = linearTransform(some, giants, executor),
                           rescaled = linearTransformRescale(some, giants, executor);
                CHECK_EQUAL(got.size(), some.size());
                for (std::size_t i = 0; i < some.size(); ++i) {
                    const Ciphertext want = linearTransform(*some[i], giants, executor);
                    for (unsigned poly = 0; poly < 2; ++poly) CHECK(kit.poly(got[i], poly) == kit.poly(want, poly));
                    const Ciphertext below = rescale(want, executor);
                    CHECK_EQUAL(rescaled[i].level(), level - 1);
                    for (unsigned poly = 0; poly < 2; ++poly) CHECK(kit.poly(rescaled[i], poly) == kit.poly(below, poly));
                }
            }
            giants.push_back({&keys[2 + form % 2], {{&keys[1], &plaintexts[2 + form % 2]}}});
        }
    });
}

// Periodic ones among them, with and without giant steps.
TEST(deferredPlaintextsGiveTheSameBits) {
    forShapes([](Toolkit& kit, unsigned level) {
        const Encoder encoder(kit.context);
        const auto keys = makeKeys(kit, {1, 2, 3, 4, 8});
        const Ciphertext a = kit.uniformCiphertext(level, 1);
        Random random(level);
        for (const bool giants : {true, false}) {
            std::vector<Plaintext> whole, deferred;
            std::vector<GiantStep> steps[2];
            const size_t rows = giants ? 3 : 1;
            for (size_t g = 0; g < rows; ++g) {
                for (auto& list : steps) list.push_back({g == 0 ? nullptr : &keys[2 + g], {}});
                for (size_t b = 0; b < 90; ++b) {
                    std::vector<double> values(kit.context->slots() >> (b % 3));
                    for (double& value : values) value = static_cast<double>(random.next() % 2001) / 1000 - 1;
                    const double scale = b == 7 ? 0x1p60 : 0x1p20;   // one that is split in two
                    const unsigned above = level < kit.context->maxLevel() && b % 5 == 0 ? 1 : 0;
                    if (b == 7 && level < 2) continue;
                    for (const bool later : {false, true}) {
                        auto plaintext = encoder.encode(values.data(), nullptr, values.size(), level + above, scale,
                                                        {.extended = true, .deferred = later});
                        CHECK_EQUAL(plaintext.deferred(), later);
                        (later ? deferred : whole).push_back(std::move(plaintext));
                    }
                    for (auto& list : steps) list.back().terms.push_back({b % 4 == 3 ? nullptr : &keys[b % 4], nullptr});
                }
            }
            for (size_t form = 0; form < 2; ++form) {
                size_t next = 0;
                for (GiantStep& giant : steps[form])
                    for (BabyTerm& term : giant.terms) term.plaintext = &(form == 0 ? whole : deferred)[next++];
            }
            CHECK(deferred[0].bytes() < whole[0].bytes());
            CHECK_EQUAL(deferred[0].limbs(), whole[0].limbs());
            ScatteringExecutor executor;
            const Ciphertext want = linearTransform(a, steps[0], executor), got = linearTransform(a, steps[1], executor);
            for (unsigned poly = 0; poly < 2; ++poly) CHECK(kit.poly(got, poly) == kit.poly(want, poly));
        }
        std::vector<double> values(kit.context->slots(), 1);
        const Plaintext plain =
            encoder.encode(values.data(), nullptr, values.size(), level, 0x1p20, {.extended = true, .deferred = true});
        ScatteringExecutor executor;
        CHECK_THROWS(mulPlain(a, plain, executor));
        CHECK_THROWS(addPlain(a, plain, executor));
    });
}

TEST(moreDeferredPlaintextsThanAreMadeAtATime) {
    Toolkit kit(Context::create(makeSpec({14, {{40}, {30}}, {41}, 1})), 60);
    const Encoder encoder(kit.context);
    const auto keys = makeKeys(kit, {1, 2});
    const Ciphertext a = kit.uniformCiphertext(1, 1);
    constexpr size_t COUNT = 300;   // 2^14 words each, 2^22 at a time
    std::vector<Plaintext> plaintexts[2];
    std::vector<GiantStep> steps[2] = {{{nullptr, {}}}, {{nullptr, {}}}};
    std::vector<double> values(kit.context->slots());
    for (size_t b = 0; b < COUNT; ++b) {
        for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>((i * (b + 3)) % 101) / 50 - 1;
        for (const bool later : {false, true}) {
            plaintexts[later].push_back(
                encoder.encode(values.data(), nullptr, values.size(), 1, 0x1p20, {.extended = true, .deferred = later}));
        }
    }
    for (const bool later : {false, true}) {
        for (size_t b = 0; b < COUNT; ++b) steps[later][0].terms.push_back({&keys[b % 2], &plaintexts[later][b]});
    }
    ScatteringExecutor executor;
    const Ciphertext want = linearTransform(a, steps[0], executor), got = linearTransform(a, steps[1], executor);
    for (unsigned poly = 0; poly < 2; ++poly) CHECK(kit.poly(got, poly) == kit.poly(want, poly));
}

TEST(badTransformsThrow) {
    Toolkit kit(Context::create(makeSpec(testShapes()[0])));
    SerialExecutor serial;
    const KeySwitchKey key = kit.key(1, kit.context->galoisElement(1));
    const Plaintext plain = kit.plaintext(kit.periodic(0), 2), extended = kit.plaintext(kit.periodic(0), 2, true);
    const Ciphertext a = kit.uniformCiphertext(1, 1);
    CHECK_THROWS(linearTransform(a, {}, serial));
    CHECK_THROWS(linearTransform(a, {{nullptr, {}}}, serial));
    CHECK_THROWS(linearTransform(std::vector<const Ciphertext*>{}, {{nullptr, {{&key, &extended}}}}, serial));
    const Ciphertext above = kit.uniformCiphertext(2, 1);
    CHECK_THROWS(linearTransform(std::vector<const Ciphertext*>{&a, &above}, {{nullptr, {{&key, &extended}}}}, serial));
    CHECK_THROWS(linearTransform(a, {{nullptr, {{&key, &plain}}}}, serial));
    CHECK_THROWS(linearTransform(kit.uniformCiphertext(2, 1), {{nullptr, {{&key, &extended}}}}, serial));
    CHECK_THROWS(linearTransform(kit.uniformCiphertext(1, 2), {{nullptr, {{&key, &extended}}}}, serial));
    linearTransform(a, {{nullptr, {{&key, &extended}}}}, serial);
}

TEST_MAIN()
