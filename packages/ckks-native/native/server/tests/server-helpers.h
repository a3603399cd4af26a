#pragma once
// A secret-key toolkit of its own for the engine's tests: naive encryption, keys and decryption straight from the
// definitions, on RNS polynomials in evaluation order, and errors measured exactly in bits. It shares only the scalar
// transform with the code under test.

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "server/evaluator.h"
#include "kernel/tests/kernel-helpers.h"

namespace heml::test {

/// Residues by modulus index of the context, evaluation order.
using Rns = std::vector<std::vector<Word>>;
using kernel::addMod;
using kernel::subMod;
using Coefficients = std::vector<std::int64_t>;

/// Cuts every loop into single items, last first: what depends on order or on a whole range shows.
class ScatteringExecutor final : public Executor {
public:
    void parallelFor(std::size_t count, const Task& task) override {
        for (std::size_t i = count; i-- > 0;) task(i, i + 1);
    }
};

struct Shape {
    unsigned logN;
    std::vector<std::vector<int>> levelBits;
    std::vector<int> specialBits;
    unsigned digitLimbs;
};

inline ParametersSpec makeSpec(const Shape& shape) {
    std::vector<std::vector<Modulus>> found(49);
    std::vector<std::size_t> used(49);
    auto take = [&](int bits) {
        if (found[bits].empty()) found[bits] = primesBelow(bits, static_cast<int>(shape.logN), 40);
        return found[bits].at(used[bits]++).value;
    };
    ParametersSpec spec;
    spec.logN = shape.logN;
    spec.digitLimbs = shape.digitLimbs;
    for (const auto& bits : shape.levelBits) {
        spec.levels.emplace_back();
        for (int b : bits) spec.levels.back().push_back(take(b));
    }
    for (int b : shape.specialBits) spec.special.push_back(take(b));
    return spec;
}

class Toolkit {
public:
    explicit Toolkit(std::shared_ptr<const Context> context, std::uint64_t stream = 1)
        : context(std::move(context)), random(stream), secret(evaluate(ternary())) {}

    std::size_t n() const { return context->ringDegree(); }

    Coefficients ternary() { return small(1); }
  /// Uniform in [-bound, bound].
    Coefficients small(std::int64_t bound) {
        Coefficients out(n());
        for (auto& x : out) x = static_cast<std::int64_t>(random.below(2 * static_cast<std::uint64_t>(bound) + 1)) - bound;
        return out;
    }

  /// Modulo every prime of the context.
    Rns evaluate(const Coefficients& values) const {
        Rns out(context->moduli(), std::vector<Word>(n()));
        for (std::size_t i = 0; i < out.size(); ++i) {
            const auto p = static_cast<std::int64_t>(context->modulus(i).value);
            for (std::size_t j = 0; j < n(); ++j) out[i][j] = static_cast<Word>((values[j] % p + p) % p);
            transform(out[i], i, true);
        }
        return out;
    }

  /// X -> X^element.
    Rns automorphism(Rns a, std::uint32_t element) const {
        for (std::size_t i = 0; i < a.size(); ++i) {
            const Word p = context->modulus(i).value;
            transform(a[i], i, false);
            std::vector<Word> moved(n());
            for (std::size_t j = 0; j < n(); ++j) {
                const std::size_t at = j * element % (2 * n());
                moved[at % n()] = at < n() || a[i][j] == 0 ? a[i][j] : p - a[i][j];
            }
            a[i] = moved;
            transform(a[i], i, true);
        }
        return a;
    }

    template <class Op>
    Rns combine(const Rns& a, const Rns& b, Op op) const {
        Rns out(std::min(a.size(), b.size()));
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i].resize(n());
            for (std::size_t j = 0; j < n(); ++j) out[i][j] = op(a[i][j], b[i][j], context->modulus(i));
        }
        return out;
    }
    Rns add(const Rns& a, const Rns& b) const {
        return combine(a, b, [](auto x, auto y, const auto& m) { return addMod(x, y, m); });
    }
    Rns sub(const Rns& a, const Rns& b) const {
        return combine(a, b, [](auto x, auto y, const auto& m) { return subMod(x, y, m); });
    }
    Rns mul(const Rns& a, const Rns& b) const {
        return combine(a, b, [](Word x, Word y, const Modulus& m) { return static_cast<Word>(Wide{x} * y % m.value); });
    }
    Rns scale(const Rns& a, __int128 factor) const {
        return combine(a, a, [&](Word x, Word, const Modulus& m) {
            const __int128 p = m.value;
            return static_cast<Word>(Wide{x} * static_cast<Word>((factor % p + p) % p) % m.value);
        });
    }

    Word uniform(std::size_t modulus) { return random.below(context->modulus(modulus).value); }

  /// c0 = m + e - c1 s, c1 uniform.
    Ciphertext encrypt(const Rns& message, unsigned level) {
        Ciphertext out(context, level, 1);
        const Rns error = evaluate(small(3));
        for (std::size_t i = 0; i < out.limbs(); ++i) {
            const Modulus& m = context->modulus(i);
            for (std::size_t j = 0; j < n(); ++j) {
                const Word a = uniform(i);
                out.limb(1, i)[j] = a;
                out.limb(0, i)[j] = subMod(addMod(message[i][j], error[i][j], m), kernel::mulMod(a, secret[i][j], m), m);
            }
        }
        return out;
    }
    Ciphertext encryptRandom(unsigned level, std::int64_t bound = std::int64_t{1} << 40) {
        return encrypt(evaluate(small(bound)), level);
    }
  /// Uniform polynomials: exact identities need no message.
    Ciphertext uniformCiphertext(unsigned level, unsigned degree) {
        Ciphertext out(context, level, degree);
        for (unsigned poly = 0; poly <= degree; ++poly) {
            for (std::size_t i = 0; i < out.limbs(); ++i) {
                for (std::size_t j = 0; j < n(); ++j) out.limb(poly, i)[j] = uniform(i);
            }
        }
        return out;
    }

    Rns poly(const Ciphertext& a, unsigned index) const {
        Rns out(a.limbs());
        for (std::size_t i = 0; i < out.size(); ++i) out[i].assign(a.limb(index, i), a.limb(index, i) + n());
        return out;
    }

  /// c0 + c1 s + c2 s^2, for the q limbs of its level.
    Rns phase(const Ciphertext& a) const {
        Rns sum = poly(a, a.degree());
        for (unsigned i = a.degree(); i-- > 0;) sum = add(mul(sum, secret), poly(a, i));
        return sum;
    }

  /// By the definition at the head of key-switch-key.h.
    KeySwitchKey key(unsigned level, std::uint32_t element) {
        KeySwitchKey out(context, level, element);
        const Rns from = element == KeySwitchKey::RELINEARIZATION ? mul(secret, secret) : automorphism(secret, element);
        for (std::size_t d = 0; d < out.digits(); ++d) {
            const Rns error = evaluate(small(3));
            for (std::size_t t = 0; t < out.targets(); ++t) {
                const std::size_t i = out.modulusIndex(t);
                const Modulus& m = context->modulus(i);
                const bool isQ = i < context->qLimbs();
                const bool mine = isQ && i / context->digitLimbs() == d;
                const Word factor = isQ ? context->specialInverse(i) : 1;
                for (std::size_t j = 0; j < n(); ++j) {
                    const Word a = uniform(i);
                    Word b = subMod(kernel::mulMod(error[i][j], factor, m), kernel::mulMod(a, secret[i][j], m), m);
                    if (mine) b = addMod(b, from[i][j], m);
                    out.limb(t, d, KeySwitchKey::A)[j] = a;
                    out.limb(t, d, KeySwitchKey::B)[j] = b;
                }
            }
        }
        return out;
    }

  /// A plaintext with these residues; with logRepeat > 0 they must repeat so.
    Plaintext plaintext(const Rns& values, unsigned level, bool extended = false, unsigned logRepeat = 0) const {
        Plaintext out(context, level, extended, logRepeat);
        for (std::size_t i = 0; i < out.limbs(); ++i) {
            for (std::size_t j = 0; j < out.wordsPerLimb(); ++j) out.limb(i)[j] = values[out.modulusIndex(i)][j << logRepeat];
        }
        return out;
    }
  /// Small coefficients at multiples of 2^logRepeat.
    Rns periodic(unsigned logRepeat, std::int64_t bound = 1 << 20) {
        Coefficients values = small(bound);
        for (std::size_t j = 0; j < n(); ++j) {
            if (j % (std::size_t{1} << logRepeat) != 0) values[j] = 0;
        }
        return evaluate(values);
    }

  /// log2 of the largest centred coefficient of a; 999 if it exceeds half of the first two primes' product.
    double bits(Rns a) const {
        double largest = 0;
        for (std::size_t i = 0; i < a.size(); ++i) transform(a[i], i, false);
        const Word q0 = context->modulus(0).value;
        const __int128 product = a.size() > 1 ? static_cast<__int128>(q0) * context->modulus(1).value : q0;
        for (std::size_t j = 0; j < n(); ++j) {
            const __int128 value = centred(a, j, product);
            for (std::size_t i = 2; i < a.size(); ++i) {
                const __int128 p = context->modulus(i).value;
                if ((value % p + p) % p != a[i][j]) return 999;
            }
            largest = std::max(largest, std::abs(static_cast<double>(value)));
        }
        return largest == 0 ? -std::numeric_limits<double>::infinity() : std::log2(largest);
    }

  /// In place; forward: coefficients to evaluation order.
    void transform(std::vector<Word>& limb, std::size_t modulus, bool forward) const {
        auto aligned = kernel::makeAlignedArray<Word>(n());
        std::copy(limb.begin(), limb.end(), aligned.get());
        const auto ntt = forward ? kernel::scalarKernels().nttForward : kernel::scalarKernels().nttInverse;
        ntt(aligned.get(), aligned.get(), context->tables(modulus));
        std::copy(aligned.get(), aligned.get() + n(), limb.begin());
    }

    std::shared_ptr<const Context> context;
    Random random;
    Rns secret;

private:
    __int128 centred(const Rns& a, std::size_t j, __int128 product) const {
        __int128 value = a[0][j];
        if (a.size() > 1) {
            const Modulus& m = context->modulus(1);
            const Word q0 = context->modulus(0).value % m.value;
            const Word digit = kernel::mulMod(subMod(a[1][j], a[0][j] % m.value, m), kernel::inverseMod(q0, m), m);
            value += static_cast<__int128>(digit) * context->modulus(0).value;
        }
        return value > product / 2 ? value - product : value;
    }
};

/// Two-prime levels, digits that cut through levels, a partial last digit; several shapes of key switching.
/// The same words, packed.
inline Plaintext packedCopy(const Plaintext& p) {
    Plaintext out = Plaintext::packed(p.context(), p.level(), p.extended(), p.logRepeat());
    for (std::size_t i = 0; i < p.limbs(); ++i) out.putLimb(i, p.limb(i));
    return out;
}

inline std::vector<Shape> testShapes() {
    return {
        {10, {{46, 46}, {45}, {40, 41}, {46}, {47}}, {46, 47}, 2},
        {10, {{45}, {44}, {43, 47}, {40}}, {47}, 1},
        {11, {{45}, {44}, {43}, {46}, {45, 45}}, {47, 47, 46}, 3},
        {12, {{45}, {45}, {45}, {45}, {45}}, {47, 47, 47, 47, 47}, 5},
        {10, {{45}, {42}, {41}}, {47, 47, 47, 47}, 4},
        {11, {{36}, {30}, {29, 32}, {30}, {31}}, {47, 46, 32}, 3},  // most of them below 2^32
    };
}

}  // namespace heml::test
