// Everything that is exact: sums, products, constants, matrix products, against the definition residue by residue.

#include "server-helpers.h"

using namespace heml;
using namespace heml::test;

namespace {

struct Fixture {
    Toolkit kit{Context::create(makeSpec(testShapes()[0])), 7};
    ScatteringExecutor executor;
    unsigned level = kit.context->maxLevel() - 1;
    Ciphertext linear = kit.uniformCiphertext(level, 1);
    Ciphertext other = kit.uniformCiphertext(level, 1);
    Ciphertext quadratic = kit.uniformCiphertext(level, 2);

    bool means(const Ciphertext& got, const Rns& want) const {
        const Rns phase = kit.phase(got);
        return std::equal(phase.begin(), phase.end(), want.begin());
    }
};

std::string codeOf(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.code();
    }
    return "none";
}

}  // namespace

TEST(sumsOfMixedDegrees) {
    Fixture f;
    const Ciphertext* operands[] = {&f.linear, &f.other, &f.quadratic};
    for (const Ciphertext* a : operands) {
        for (const Ciphertext* b : operands) {
            const Rns x = f.kit.phase(*a), y = f.kit.phase(*b);
            const Ciphertext total = add(*a, *b, f.executor);
            CHECK_EQUAL(total.degree(), std::max(a->degree(), b->degree()));
            CHECK(f.means(total, f.kit.add(x, y)));
            CHECK(f.means(sub(*a, *b, f.executor), f.kit.sub(x, y)));
        }
        CHECK(f.means(negate(*a, f.executor), f.kit.scale(f.kit.phase(*a), -1)));
    }
    const Rns want = f.kit.add(f.kit.add(f.kit.phase(f.quadratic), f.kit.phase(f.linear)), f.kit.phase(f.other));
    CHECK(f.means(sum({&f.linear, &f.quadratic, &f.other}, f.executor), want));
    CHECK(f.means(sum({&f.linear}, f.executor), f.kit.phase(f.linear)));
}

TEST(plaintexts) {
    Fixture f;
    for (unsigned logRepeat : {0u, 1u, 2u, 3u, 6u, 9u}) {
        const Rns values = f.kit.periodic(logRepeat);
        for (unsigned above : {0u, 1u}) {
            const Plaintext p = f.kit.plaintext(values, f.level + above, above == 1, logRepeat);
            for (const Ciphertext* a : {&f.linear, &f.quadratic}) {
                const Rns x = f.kit.phase(*a);
                CHECK(f.means(addPlain(*a, p, f.executor), f.kit.add(x, values)));
                CHECK(f.means(subPlain(*a, p, f.executor), f.kit.sub(x, values)));
                CHECK(f.means(mulPlain(*a, p, f.executor), f.kit.mul(x, values)));
            }
        }
    }
    const Rns values = f.kit.periodic(0), periodic = f.kit.periodic(4);
    const Plaintext p = f.kit.plaintext(values, f.level), r = f.kit.plaintext(periodic, f.level, false, 4);
    const Rns products = f.kit.add(f.kit.mul(f.kit.phase(f.linear), values), f.kit.mul(f.kit.phase(f.quadratic), periodic));
    CHECK(f.means(mulPlainAccumulate(nullptr, {{&f.linear, &p}, {&f.quadratic, &r}}, f.executor), products));
    CHECK(f.means(mulPlainAccumulate(&f.other, {{&f.linear, &p}, {&f.quadratic, &r}}, f.executor),
                  f.kit.add(products, f.kit.phase(f.other))));
}

TEST(packedPlaintexts) {
    for (const Shape& shape : testShapes()) {
        Toolkit kit(Context::create(makeSpec(shape)), 8);
        ScatteringExecutor executor;
        const unsigned level = kit.context->maxLevel();
        const Ciphertext a = kit.uniformCiphertext(level, 1), b = kit.uniformCiphertext(level, 2);
        const auto same = [&](const Ciphertext& got, const Ciphertext& want) {
            for (unsigned poly = 0; poly <= want.degree(); ++poly) CHECK(kit.poly(got, poly) == kit.poly(want, poly));
        };
        for (unsigned logRepeat : {0u, 1u, 2u, 3u, 6u, 9u}) {
            const Plaintext p = kit.plaintext(kit.periodic(logRepeat), level, true, logRepeat), packed = packedCopy(p);
            same(addPlain(a, packed, executor), addPlain(a, p, executor));
            same(subPlain(b, packed, executor), subPlain(b, p, executor));
            same(mulPlain(b, packed, executor), mulPlain(b, p, executor));
            same(mulPlainAccumulate(&a, {{&a, &packed}, {&b, &p}}, executor),
                 mulPlainAccumulate(&a, {{&a, &p}, {&b, &p}}, executor));
        }
    }
}

TEST(constants) {
    Fixture f;
    const __int128 big = (static_cast<__int128>(1) << 100) + 12345;
    const GaussianInteger scalars[] = {{1, 0}, {0, 1}, {-7, 5}, {big, 0}, {-big, 3 * big}, {0, 0}};
    for (const GaussianInteger& scalar : scalars) {
        Coefficients one(f.kit.n()), imaginary(f.kit.n());
        one[0] = 1;
        imaginary[f.kit.n() / 2] = 1;   // X^(N/2)
        const Rns value =
            f.kit.add(f.kit.scale(f.kit.evaluate(one), scalar.re), f.kit.scale(f.kit.evaluate(imaginary), scalar.im));
        for (const Ciphertext* a : {&f.linear, &f.quadratic}) {
            CHECK(f.means(addScalar(*a, scalar, f.executor), f.kit.add(f.kit.phase(*a), value)));
            CHECK(f.means(mulScalar(*a, scalar, f.executor), f.kit.mul(f.kit.phase(*a), value)));
        }
    }
    const Ciphertext twice = mulByI(mulByI(f.linear, 1, f.executor), 1, f.executor);
    CHECK(f.kit.poly(twice, 1) == f.kit.poly(negate(f.linear, f.executor), 1));
    CHECK(f.means(mulByI(f.linear, 2, f.executor), f.kit.scale(f.kit.phase(f.linear), -1)));
}

TEST(linearCombinations) {
    Fixture f;
    const __int128 big = static_cast<__int128>(1) << 90;
    const std::vector<std::vector<ScaledTerm>> sums = {
        {{&f.linear, {5, 0}}},
        {{&f.linear, {-3, 0}}, {&f.other, {big, 7}}, {&f.linear, {0, 1}}},
        {{&f.linear, {2, 0}}, {&f.quadratic, {-1, 4}}, {&f.other, {0, 0}}},
    };
    for (const auto& terms : sums) {
        for (const GaussianInteger& constant : {GaussianInteger{0, 0}, GaussianInteger{-9, 0}, GaussianInteger{4, -big}}) {
            std::vector<Ciphertext> products;
            std::vector<const Ciphertext*> pointers;
            for (const ScaledTerm& term : terms) products.push_back(mulScalar(*term.ciphertext, term.by, f.executor));
            for (const Ciphertext& product : products) pointers.push_back(&product);
            const Ciphertext want = addScalar(sum(pointers, f.executor), constant, f.executor);
            const Ciphertext got = linearCombination(terms, constant, f.executor);
            CHECK_EQUAL(got.degree(), want.degree());
            for (unsigned poly = 0; poly <= want.degree(); ++poly) CHECK(f.kit.poly(got, poly) == f.kit.poly(want, poly));
        }
    }
    CHECK_THROWS(linearCombination({}, {0, 0}, f.executor));
    CHECK_THROWS(linearCombination({{&f.linear, {static_cast<__int128>(1) << 120, 0}}}, {0, 0}, f.executor));
}

// To the bit what the product and the sum apart give.
TEST(productCombinations) {
    Fixture f;
    const __int128 big = static_cast<__int128>(1) << 90;
    const std::vector<std::vector<ProductTerm>> products = {
        {{&f.linear, &f.other}}, {{&f.linear, &f.linear}}, {{&f.linear, &f.other}, {&f.other, &f.other}, {&f.other, &f.linear}}};
    const std::vector<std::vector<ScaledTerm>> sums = {
        {}, {{&f.linear, {-3, 0}}, {&f.other, {big, 7}}}, {{&f.quadratic, {-1, 4}}, {&f.other, {0, 0}}, {&f.linear, {0, 1}}}};
    for (const auto& pairs : products) {
        for (const auto& terms : sums) {
            for (const GaussianInteger& by : {GaussianInteger{1, 0}, GaussianInteger{2, 0}, GaussianInteger{-7, big}}) {
                const GaussianInteger constant{-by.re, 3};
                const Ciphertext product = mulAccumulate(pairs, f.executor);
                std::vector<ScaledTerm> all = {{&product, by}};
                all.insert(all.end(), terms.begin(), terms.end());
                const Ciphertext want = linearCombination(all, constant, f.executor);
                const Ciphertext got = productCombination(pairs, by, terms, constant, f.executor);
                CHECK_EQUAL(got.degree(), 2u);
                for (unsigned poly = 0; poly <= 2; ++poly) CHECK(f.kit.poly(got, poly) == f.kit.poly(want, poly));
            }
        }
    }
    CHECK_THROWS(productCombination({}, {1, 0}, {}, {0, 0}, f.executor));
    CHECK_THROWS(productCombination({{&f.quadratic, &f.linear}}, {1, 0}, {}, {0, 0}, f.executor));
    CHECK_THROWS(productCombination(products[0], {static_cast<__int128>(1) << 120, 0}, {}, {0, 0}, f.executor));
}

TEST(products) {
    Fixture f;
    const Rns x = f.kit.phase(f.linear), y = f.kit.phase(f.other);
    CHECK_EQUAL(mul(f.linear, f.other, f.executor).degree(), 2u);
    CHECK(f.means(mul(f.linear, f.other, f.executor), f.kit.mul(x, y)));
    CHECK(f.means(square(f.linear, f.executor), f.kit.mul(x, x)));
    CHECK(f.means(mulAccumulate({{&f.linear, &f.other}, {&f.other, &f.other}, {&f.linear, &f.linear}}, f.executor),
                  f.kit.add(f.kit.add(f.kit.mul(x, y), f.kit.mul(y, y)), f.kit.mul(x, x))));
}

TEST(matrices) {
    Fixture f;
    std::vector<Ciphertext> inputs;
    for (int i = 0; i < 5; ++i) inputs.push_back(f.kit.uniformCiphertext(f.level, 1));
    std::vector<const Ciphertext*> pointers;
    for (const Ciphertext& input : inputs) pointers.push_back(&input);
    for (std::size_t rows : {1u, 3u, 9u}) {
        std::vector<std::int64_t> weights;
        for (std::size_t w = 0; w < rows * inputs.size(); ++w) weights.push_back(static_cast<std::int64_t>(f.kit.random.next()));
        weights[0] = 0;
        const auto out = matrixProduct(pointers, weights, rows, f.executor);
        CHECK_EQUAL(out.size(), rows);
        for (std::size_t r = 0; r < rows; ++r) {
            Rns want = f.kit.scale(f.kit.phase(inputs[0]), weights[r * inputs.size()]);
            for (std::size_t c = 1; c < inputs.size(); ++c) {
                want = f.kit.add(want, f.kit.scale(f.kit.phase(inputs[c]), weights[r * inputs.size() + c]));
            }
            CHECK(f.means(out[r], want));
        }
    }
}

TEST(levelsAndContexts) {
    Fixture f;
    const Ciphertext dropped = dropLevel(f.quadratic, 1, f.executor);
    CHECK_EQUAL(dropped.level(), 1u);
    CHECK(f.means(dropped, f.kit.phase(f.quadratic)));
    Shape shorter = testShapes()[0];
    shorter.levelBits.resize(2);
    shorter.specialBits.resize(1);
    shorter.digitLimbs = 1;
    const auto small = Context::create(makeSpec(shorter));
    const Ciphertext moved = changeContext(dropped, small, f.executor);
    CHECK(moved.context() == small && f.kit.poly(moved, 2) == f.kit.poly(dropped, 2));
    CHECK_EQUAL(codeOf([&] { changeContext(f.linear, small, f.executor); }), "Level");

    const std::int64_t half = std::int64_t{1} << 44;
    const Ciphertext bottom = f.kit.encryptRandom(0, half);
    const Ciphertext raised = modRaise(bottom, f.kit.context->maxLevel(), f.executor);
    Rns low = f.kit.phase(raised);
    low.resize(bottom.limbs());
    CHECK(low == f.kit.phase(bottom));
    const double q0 = std::log2(f.kit.context->modulus(0).value) + std::log2(f.kit.context->modulus(1).value);
    for (unsigned poly = 0; poly < 2; ++poly) CHECK(f.kit.bits(f.kit.poly(raised, poly)) <= q0 - 1);
}

TEST(mismatchesThrow) {
    Fixture f;
    Toolkit stranger(Context::create(makeSpec(testShapes()[1])));
    const Ciphertext foreign = stranger.uniformCiphertext(1, 1);
    const Ciphertext low = f.kit.uniformCiphertext(0, 1);
    const Plaintext lowPlain = f.kit.plaintext(f.kit.periodic(0), 0);
    auto& e = f.executor;
    CHECK_EQUAL(codeOf([&] { add(f.linear, foreign, e); }), "ParameterMismatch");
    CHECK_EQUAL(codeOf([&] { add(f.linear, low, e); }), "Level");
    CHECK_EQUAL(codeOf([&] { mul(f.linear, f.quadratic, e); }), "Degree");
    CHECK_EQUAL(codeOf([&] { mulPlain(f.linear, lowPlain, e); }), "Level");
    CHECK_EQUAL(codeOf([&] { mulPlain(f.linear, Plaintext(), e); }), "InvalidArgument");
    CHECK_EQUAL(codeOf([&] { add(Ciphertext(), f.linear, e); }), "InvalidArgument");
    CHECK_EQUAL(codeOf([&] { rescale(low, e); }), "Level");
    CHECK_EQUAL(codeOf([&] { dropLevel(low, 1, e); }), "Level");
    CHECK_EQUAL(codeOf([&] { modRaise(f.linear, 2, e); }), "Level");
    CHECK_EQUAL(codeOf([&] { matrixProduct({&f.quadratic}, {1}, 1, e); }), "Degree");
    CHECK_EQUAL(codeOf([&] { matrixProduct({&f.linear}, {1, 2}, 1, e); }), "InvalidArgument");
    CHECK_EQUAL(codeOf([&] { mulScalar(f.linear, {static_cast<__int128>(1) << 120, 0}, e); }), "InvalidArgument");
    CHECK_EQUAL(codeOf([&] { sum({}, e); }), "InvalidArgument");
}

TEST(badParametersThrow) {
    const ParametersSpec good = makeSpec(testShapes()[0]);
    auto refused = [&](const std::function<void(ParametersSpec&)>& spoil) {
        ParametersSpec spec = good;
        spoil(spec);
        return codeOf([&] { Context::create(spec); }) == "InvalidArgument";
    };
    CHECK(!refused([](ParametersSpec&) {}));
    CHECK(refused([](ParametersSpec& s) { s.logN = 9; }));
    CHECK(refused([](ParametersSpec& s) { s.logN = 18; }));
    CHECK(refused([](ParametersSpec& s) { s.levels.clear(); }));
    CHECK(refused([](ParametersSpec& s) { s.levels[1].clear(); }));
    CHECK(refused([](ParametersSpec& s) { s.special.clear(); }));
    CHECK(refused([](ParametersSpec& s) { s.digitLimbs = 0; }));
    CHECK(refused([](ParametersSpec& s) { s.special[0] = s.levels[0][0]; }));
    CHECK(refused([](ParametersSpec& s) { s.levels[0][0] += 2; }));
    CHECK(refused([](ParametersSpec& s) { s.levels[0][0] = (std::uint64_t{1} << 40) + 1; }));
    CHECK(refused([](ParametersSpec& s) { s.levels[0][0] = ~std::uint64_t{0}; }));
}

TEST_MAIN()
