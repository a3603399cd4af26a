// Basis conversion against exact arithmetic: x is built as an integer of several words, centred modulo
// Q, and reduced modulo every target by long division.

#include "kernel-helpers.h"

using namespace heml::test;
using heml::kernel::BaseConverter;
using heml::kernel::ConvertJob;
using heml::kernel::supportedKernels;

namespace {

/// A non-negative integer, little-endian in 32-bit digits; just what the test needs.
class Big {
public:
    explicit Big(Word value = 0) : digits_{static_cast<std::uint32_t>(value), static_cast<std::uint32_t>(value >> 32)} {}

    void multiply(Word factor) {
        const std::vector<std::uint32_t> low = scaled(static_cast<std::uint32_t>(factor));
        const std::vector<std::uint32_t> high = scaled(static_cast<std::uint32_t>(factor >> 32));
        digits_ = low;
        addAt(high, 1);
    }
    void add(const Big& other) { addAt(other.digits_, 0); }
    void subtract(const Big& other) {
        std::int64_t borrow = 0;
        for (std::size_t i = 0; i < digits_.size(); ++i) {
            const std::int64_t rest = static_cast<std::int64_t>(digits_[i]) - other.at(i) + borrow;
            digits_[i] = static_cast<std::uint32_t>(rest);
            borrow = rest >> 32;
        }
    }
    void halve() {
        for (std::size_t i = 0; i < digits_.size(); ++i) digits_[i] = (digits_[i] >> 1) | (at(i + 1) << 31);
    }
    bool less(const Big& other) const {
        for (std::size_t i = std::max(digits_.size(), other.digits_.size()); i-- > 0;) {
            if (at(i) != other.at(i)) return at(i) < other.at(i);
        }
        return false;
    }
    Word modulo(Word p) const {
        Wide rest = 0;
        for (std::size_t i = digits_.size(); i-- > 0;) rest = ((rest << 32) | digits_[i]) % p;
        return static_cast<Word>(rest);
    }

private:
    std::vector<std::uint32_t> digits_;

    std::uint32_t at(std::size_t i) const { return i < digits_.size() ? digits_[i] : 0; }
    std::vector<std::uint32_t> scaled(std::uint32_t factor) const {
        std::vector<std::uint32_t> out;
        std::uint64_t carry = 0;
        for (std::uint32_t digit : digits_) {
            carry += static_cast<std::uint64_t>(digit) * factor;
            out.push_back(static_cast<std::uint32_t>(carry));
            carry >>= 32;
        }
        out.push_back(static_cast<std::uint32_t>(carry));
        return out;
    }
    void addAt(const std::vector<std::uint32_t>& other, std::size_t shift) {
        if (digits_.size() < other.size() + shift + 1) digits_.resize(other.size() + shift + 1);
        std::uint64_t carry = 0;
        for (std::size_t i = 0; i + shift < digits_.size(); ++i) {
            carry += static_cast<std::uint64_t>(digits_[i + shift]) + (i < other.size() ? other[i] : 0);
            digits_[i + shift] = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
    }
};

struct Setting {
    std::vector<Modulus> sources, targets;
};

std::vector<Setting> settings() {
    const std::vector<Modulus> wide = primesBelow(48, 10, 40), narrow = primesBelow(45, 10, 40), small = primesBelow(25, 10, 8);
    // about as many products of theirs as 64 bits hold
    const std::vector<Modulus> thirty = primesBelow(30, 10, 40), thirtyTwo = primesBelow(32, 10, 8);
    const auto part = [](const std::vector<Modulus>& from, std::size_t first, std::size_t count) {
        return std::vector<Modulus>(from.begin() + static_cast<std::ptrdiff_t>(first),
                                    from.begin() + static_cast<std::ptrdiff_t>(first + count));
    };
    return {
        {part(wide, 0, 1), part(wide, 1, 5)},        {part(narrow, 0, 2), part(wide, 0, 3)},
        {part(small, 0, 3), part(wide, 0, 4)},       {part(wide, 0, 4), part(small, 0, 4)},
        {part(narrow, 0, 8), part(narrow, 8, 7)},    {part(wide, 0, 12), part(wide, 12, 9)},
        {part(wide, 0, 36), part(narrow, 0, 3)},     {part(thirty, 0, 3), part(thirty, 3, 4)},
        {part(thirty, 0, 14), part(thirty, 14, 3)},  {part(thirty, 0, 15), part(thirty, 15, 3)},
        {part(thirty, 0, 16), part(thirty, 16, 3)},  {part(thirty, 0, 17), part(thirtyTwo, 0, 3)},
        {part(thirtyTwo, 0, 3), part(thirty, 0, 3)},
    };
}

/// Coefficients as integers below Q: random, 0, 1, Q - 1, and close to Q/2 on both sides (Q/2 -+ Q/2^30).
std::vector<Big> coefficients(const Big& product, const std::vector<Modulus>& sources, std::size_t n, Random& random) {
    std::vector<Big> values;
    Big half = product;
    half.halve();
    Big margin = product;
    for (int i = 0; i < 30; ++i) margin.halve();
    Big below = half, above = half, last = product;
    below.subtract(margin);
    above.add(margin);
    last.subtract(Big(1));
    for (const Big& value : {Big(0), Big(1), last, below, above}) values.push_back(value);
    while (values.size() < n) {
        Big value(0);  // mixed radix: a digit below every q
        for (const Modulus& q : sources) {
            value.multiply(q.value);
            value.add(Big(random.below(q.value)));
        }
        values.push_back(value);
    }
    return values;
}

}  // namespace

TEST(conversionIsExactAndCentred) {
    Random random(31);
    for (const Setting& setting : settings()) {
        const std::size_t n = 104;  // a whole block, a partial one
        const BaseConverter converter(setting.sources, setting.targets);
        Big product(1);
        for (const Modulus& q : setting.sources) product.multiply(q.value);
        Big half = product;
        half.halve();
        const std::vector<Big> values = coefficients(product, setting.sources, n, random);
        std::vector<Limb> in, scaled;
        for (std::size_t s = 0; s < setting.sources.size(); ++s) {
            const Modulus& q = setting.sources[s];
            Limb limb(n), limbScaled(n);
            for (std::size_t i = 0; i < n; ++i) {
                limb[i] = values[i].modulo(q.value);
                limbScaled[i] = mulMod(limb[i], converter.sourceFactor(s).factor, q);
            }
            in.push_back(std::move(limb));
            scaled.push_back(std::move(limbScaled));
        }
        std::vector<const Word*> from, fromScaled;
        for (const Limb& limb : in) from.push_back(limb.data());
        for (const Limb& limb : scaled) fromScaled.push_back(limb.data());

        for (std::size_t j = 0; j < setting.targets.size(); ++j) {
            const Word p = setting.targets[j].value;
            CHECK_EQUAL(converter.productModulo(j), product.modulo(p));
            Limb want(n);
            for (std::size_t i = 0; i < n; ++i) {
                const Word rest = values[i].modulo(p);
                want[i] = half.less(values[i]) ? (rest + p - product.modulo(p)) % p : rest;
            }
            const auto index = static_cast<std::uint32_t>(j);
            for (const Kernels* k : supportedKernels()) {
                Limb got(n);
                Word* targets[] = {got.data()};
                k->baseConvert({from.data(), false, targets, &index, 1, 0, 40}, converter);
                k->baseConvert({fromScaled.data(), true, targets, &index, 1, 40, n}, converter);
                CHECK_SAME(got, want, describe(*k, 0, setting.targets[j], "baseConvert"));
            }
        }
        for (const Kernels* k : supportedKernels()) {  // all targets at once are the same targets
            std::vector<Limb> out(setting.targets.size(), Limb(n)), single(setting.targets.size(), Limb(n));
            std::vector<Word*> targets;
            for (Limb& limb : out) targets.push_back(limb.data());
            k->baseConvert({from.data(), false, targets.data(), nullptr, targets.size(), 0, n}, converter);
            for (std::uint32_t j = 0; j < targets.size(); ++j) {
                Word* one[] = {single[j].data()};
                k->baseConvert({from.data(), false, one, &j, 1, 0, n}, converter);
                CHECK_SAME(out[j], single[j], std::string(k->name) + " subset of targets");
            }
        }
    }
}

TEST(converterRefusesRepeatedPrimes) {
    const std::vector<Modulus> primes = primesBelow(40, 10, 2);
    CHECK_THROWS(BaseConverter({primes[0], primes[0]}, {primes[1]}));
    CHECK_THROWS(BaseConverter({}, {primes[1]}));
    CHECK_THROWS(BaseConverter({primes[0]}, {}));
}

TEST_MAIN()
