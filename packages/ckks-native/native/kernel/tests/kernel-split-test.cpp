// Transforms in two parts with a basis conversion between them, against the whole transforms and the whole conversion of the
// scalar kernel: every shape of a transform, every bound of a prime, one and two converters, more sources than are summed before a
// reduction, shares and rows in any order.

#include "kernel-helpers.h"

using namespace heml::test;
using heml::kernel::AutomorphismTable;
using heml::kernel::BaseConverter;
using heml::kernel::COLUMN_RANGE;
using heml::kernel::ColumnSources;
using heml::kernel::inverseMod;
using heml::kernel::KeyLimb;
using heml::kernel::mulMod;
using heml::kernel::NextRows;
using heml::kernel::Packing;
using heml::kernel::scalarKernels;
using heml::kernel::supportedKernels;

namespace {

std::vector<NttTables> tablesOf(const std::vector<Modulus>& primes, int logN) {
    std::vector<NttTables> out;
    for (const Modulus& m : primes) out.emplace_back(m, logN);
    return out;
}

/// One converter and its sources, in evaluation order.
struct Part {
    std::vector<NttTables> sources;
    BaseConverter converter;
    std::vector<Limb> limbs;

    Part(const std::vector<Modulus>& from, const std::vector<Modulus>& to, int logN, Fill fill, Random& random)
        : sources(tablesOf(from, logN)), converter(from, to, factors(to, random)) {
        for (const Modulus& m : from) limbs.push_back(filledLimb(std::size_t{1} << logN, m, fill, random));
    }

    static std::vector<Word> factors(const std::vector<Modulus>& to, Random& random) {
        std::vector<Word> out;
        for (const Modulus& m : to) out.push_back(random.below(m.value));
        return out;
    }
};

std::vector<const Word*> pointers(const std::vector<Limb>& limbs) {
    std::vector<const Word*> out;
    for (const Limb& limb : limbs) out.push_back(limb.data());
    return out;
}

std::vector<const NttTables*> pointers(const std::vector<NttTables>& tables) {
    std::vector<const NttTables*> out;
    for (const NttTables& t : tables) out.push_back(&t);
    return out;
}

/// The sum of all parts' conversions, in evaluation order, by whole transforms.
std::vector<Limb> reference(const std::vector<Part>& parts, const std::vector<NttTables>& targets) {
    const heml::kernel::Kernels& k = scalarKernels();
    const std::size_t n = targets[0].degree();
    std::vector<Limb> sums(targets.size(), Limb(n));
    for (const Part& part : parts) {
        std::vector<Limb> coefficients;
        for (std::size_t s = 0; s < part.sources.size(); ++s) {
            coefficients.emplace_back(n);
            k.nttInverseScaled(coefficients[s].data(), part.limbs[s].data(), part.sources[s],
                               part.converter.sourceFactor(s).factor);
        }
        const std::vector<const Word*> from = pointers(coefficients);
        for (std::uint32_t j = 0; j < targets.size(); ++j) {
            Limb converted(n);
            Word* to = converted.data();
            k.baseConvert({from.data(), true, &to, &j, 1, 0, n}, part.converter);
            k.nttForward(to, to, targets[j]);
            k.add(sums[j].data(), sums[j].data(), to, n, targets[j].modulus());
        }
    }
    return sums;
}

/// The same to split limbs: rows and shares backwards, targets in another order than the converter's.
std::vector<Limb> splitSums(const Kernels& k, const std::vector<Part>& parts, const std::vector<NttTables>& targets) {
    const int logN = targets[0].logN();
    const std::size_t n = targets[0].degree(), rows = k.rowWords(logN);
    std::vector<std::vector<Limb>> split(parts.size());
    std::vector<std::vector<const Word*>> limbs;
    std::vector<std::vector<const NttTables*>> tables;
    std::vector<std::uint32_t> order;
    for (std::size_t j = targets.size(); j-- > 0;) order.push_back(static_cast<std::uint32_t>(j));
    std::vector<ColumnSources> sources;
    for (std::size_t p = 0; p < parts.size(); ++p) {
        const Part& part = parts[p];
        for (std::size_t s = 0; s < part.sources.size(); ++s) {
            split[p].emplace_back(n);
            for (std::size_t at = n; at > 0; at -= rows) {
                k.nttInverseRows(split[p][s].data(), part.limbs[s].data() + (at - rows), part.sources[s],
                                 part.converter.sourceFactor(s).factor, at - rows, at);
            }
        }
        limbs.push_back(pointers(split[p]));
        tables.push_back(pointers(part.sources));
    }
    for (std::size_t p = 0; p < parts.size(); ++p) {
        sources.push_back({limbs[p].data(), tables[p].data(), &parts[p].converter, order.data()});
    }
    std::vector<Limb> out(targets.size(), Limb(n));
    std::vector<Word*> to;
    std::vector<const NttTables*> toTables;
    for (std::uint32_t j : order) {
        to.push_back(out[j].data());
        toTables.push_back(&targets[j]);
    }
    for (std::size_t at = n; at > 0; at -= COLUMN_RANGE) {
        k.convertColumns({sources.data(), sources.size(), to.data(), toTables.data(), to.size(), at - COLUMN_RANGE, at});
    }
    return out;
}

struct Shape {
    int logN;
    std::size_t sources, more;  ///< of the first and of the second converter; more = 0: no second one
    std::size_t targets = 2;
};

/// Every kernel's transforms in two parts against whole ones.
void checkParts(const std::vector<Part>& parts, const std::vector<NttTables>& targets, Fill fill, Random& random) {
    const std::vector<Limb> want = reference(parts, targets);
    const int logN = targets[0].logN();
    const std::size_t n = targets[0].degree();
    for (const Kernels* k : supportedKernels()) {
        const std::size_t rows = k->rowWords(logN);
        std::vector<Limb> split = splitSums(*k, parts, targets);
        for (std::size_t j = 0; j < targets.size(); ++j) {
            const Modulus& m = targets[j].modulus();
            const std::string what = describe(*k, logN, m, "split") + " sources " + std::to_string(parts[0].sources.size()) +
                                     " + " + std::to_string(parts.size() > 1 ? parts[1].sources.size() : 0) + ", target " +
                                     std::to_string(j) + " of " + std::to_string(targets.size());
            // lazily, as a key product starts from them
            Limb lazy(n), got(n), got1(n);
            for (std::size_t row = n; row > 0; row -= rows) {
                const NextRows next{
                    row > rows ? split[j].data() : nullptr, row > rows ? row - 2 * rows : 0, {{want[j].data(), 640}}};
                const Limb before(split[j]);
                k->nttForwardRows(lazy.data() + (row - rows), split[j].data(), targets[j], row - rows, row, next);
                CHECK_SAME(split[j], before, what + " source of rows");
            }
            k->innerProduct(
                {got.data(), got1.data(), nullptr, nullptr, nullptr, 0, nullptr, Packing::words, lazy.data(), nullptr, 0, n}, m);
            CHECK_SAME(got, want[j], what + " lazy");
            CHECK_SAME(got1, Limb(n), what + " nothing to start from");
            // added
            Limb sum = filledLimb(n, m, fill, random), wantSum(sum);
            scalarKernels().add(wantSum.data(), wantSum.data(), want[j].data(), n, m);
            for (std::size_t row = n; row > 0; row -= rows) {
                k->nttForwardRowsAdd(sum.data() + (row - rows), split[j].data(), targets[j], row - rows, row);
            }
            CHECK_SAME(sum, wantSum, what + " added");
        }
    }
}

void checkShape(const Shape& shape, int bits, Fill fill, Random& random) {
    const std::vector<Modulus> primes = primesBelow(bits, shape.logN, shape.sources + shape.more + shape.targets);
    const auto at = [&](std::size_t i) { return primes.begin() + static_cast<std::ptrdiff_t>(i); };
    const std::vector<Modulus> to(primes.begin(), at(shape.targets));
    const auto second = at(shape.targets + shape.sources);
    std::vector<Part> parts;
    parts.emplace_back(std::vector<Modulus>(at(shape.targets), second), to, shape.logN, fill, random);
    if (shape.more > 0) parts.emplace_back(std::vector<Modulus>(second, primes.end()), to, shape.logN, fill, random);
    checkParts(parts, tablesOf(to, shape.logN), fill, random);
}

/// y w less floor(y w' / 2^52) p, w' being the quotient of w: what a lazy sum adds up, below p + p / 16.
Word lazyTerm(Word y, Word w, Word quotient, const Modulus& p) {
    using Wide = unsigned __int128;
    return static_cast<Word>(static_cast<Wide>(y) * w - (static_cast<Wide>(y) * quotient >> 52) * p.value);
}

/// Sources whose every term for one of the targets is as large as terms get, so that sums are as well: a product just below the prime, or
/// one just above 0 whose quotient falls short by one. Each run of coefficients aims at another target.
void aimAtLargestSums(Part& part, const std::vector<Modulus>& to, Random& random) {
    for (std::size_t s = 0; s < part.sources.size(); ++s) {
        const Modulus& q = part.sources[s].modulus();
        const Word undo = inverseMod(part.converter.sourceFactor(s).factor, q);
        Limb& limb = part.limbs[s];
        for (std::size_t i = 0; i < limb.size(); ++i) {
            const std::size_t j = i / 64 % to.size();
            const Modulus& p = to[j];
            const Word weight = part.converter.weights(j)[s], quotient = part.converter.weightQuotients(j)[s];
            const Word inverse = inverseMod(weight, p);
            Word best = 0, most = 0;
            for (int attempt = 0; attempt < 16; ++attempt) {
                const Word residue = attempt == 0 ? p.value - 1 : random.below(p.value >> 5);
                const Word y = mulMod(inverse, residue, p);
                const Word term = y < q.value ? lazyTerm(y, weight, quotient, p) : 0;
                if (term > most) best = y, most = term;
            }
            limb[i] = mulMod(best, undo, q);
        }
        scalarKernels().nttForward(limb.data(), limb.data(), part.sources[s]);
    }
}

TEST(everyShapeOfATransform) {
    Random random(1);
    for (int logN = 10; logN <= 17; ++logN) {
        for (int bits : {30, 46, 47, 48}) checkShape({logN, 3, logN % 2 == 0 ? std::size_t{1} : 0}, bits, Fill::random, random);
    }
}

TEST(everyBoundAndManySources) {
    Random random(2);
    for (int bits : testBits()) {
        for (Fill fill : ALL_FILLS) {
            for (const Shape& shape : {Shape{10, 1, 0}, Shape{12, 1, 1}, Shape{12, 8, 0}, Shape{10, 8, 1}, Shape{12, 9, 2}}) {
                checkShape(shape, bits, fill, random);
            }
        }
    }
    for (int bits : {45, 48}) {
        for (Fill fill : {Fill::random, Fill::largest}) {
            for (std::size_t sources : {11, 12, 13, 24, 36, 64})
                checkShape({10, sources, 0, 1 + sources % 3}, bits, fill, random);
        }
    }
}

TEST(everyNumberOfTargets) {
    Random random(4);
    for (std::size_t targets : {1, 2, 3, 4, 5}) checkShape({10, 5, 3, targets}, 48, Fill::random, random);
}

TEST(largestSums) {
    Random random(5);
    constexpr int LOG_N = 10;
    for (std::size_t count : {1, 2, 3}) {
        for (std::size_t sources : {9, 10, 11, 12, 13, 24}) {
            const std::vector<Modulus> primes = primesBelow(48, LOG_N, count + sources);
            const auto first = primes.begin() + static_cast<std::ptrdiff_t>(count);
            const std::vector<Modulus> to(primes.begin(), first);
            std::vector<Part> parts;
            parts.emplace_back(std::vector<Modulus>(first, primes.end()), to, LOG_N, Fill::random, random);
            aimAtLargestSums(parts[0], to, random);
            checkParts(parts, tablesOf(to, LOG_N), Fill::random, random);
        }
    }
}

/// Digits as nttForwardRows leaves them, only the rows that an automorphism takes to the rows wanted, with all that a product may add.
TEST(productsOfRows) {
    Random random(3);
    for (int bits : {30, 47, 48}) {
        constexpr int LOG_N = 12;
        const std::vector<Modulus> primes = primesBelow(bits, LOG_N, 3);
        const std::vector<NttTables> targets = tablesOf({primes[0]}, LOG_N);
        const Modulus& m = primes[0];
        std::vector<Part> parts;
        parts.emplace_back(std::vector<Modulus>{primes[1], primes[2]}, std::vector<Modulus>{m}, LOG_N, Fill::largest, random);
        const Limb digit = std::move(reference(parts, targets)[0]);
        const std::size_t n = targets[0].degree();
        const Limb keys0 = filledLimb(n, m, Fill::largest, random), keys1 = randomLimb(n, m, random);
        const Limb direct = randomLimb(n, m, random), start = randomLimb(n, m, random),
                   added = filledLimb(n, m, Fill::largest, random);
        for (Word element : {Word{1}, Word{243}, Word{2} * n - 1, Word{2} * n - 25}) {
            const AutomorphismTable sigma(LOG_N, element);
            for (std::size_t count : {1, 3, 12, 13, 30}) {
                const std::vector<const Word*> digits(count, digit.data());
                const std::vector<KeyLimb> k0(count, keys0.data()), k1(count, keys1.data());
                const Word factor = count % 3 == 0 ? 1 : m.value - count;
                Limb want0(n), want1(n);
                scalarKernels().innerProduct(
                    {want0.data(), want1.data(), digits.data(), k0.data(), k1.data(), count, &sigma, Packing::words, start.data(),
                     nullptr, 0, n, nullptr, direct.data(), false, 0, factor, nullptr, added.data()},
                    m);
                for (const Kernels* k : supportedKernels()) {
                    const std::vector<Limb> split = splitSums(*k, parts, targets);
                    const std::size_t rows = k->rowWords(LOG_N);
                    Limb got0(n), got1(n), lazy(rows);
                    for (std::size_t at = 0; at < n; at += rows) {
                        const std::size_t from = sigma.sourceOf(at) / rows * rows;
                        k->nttForwardRows(lazy.data(), split[0].data(), targets[0], from, from + rows, {});
                        const std::vector<const Word*> lazyDigits(count, lazy.data());
                        k->innerProduct({got0.data() + at, got1.data() + at, lazyDigits.data(), k0.data(), k1.data(), count,
                                         &sigma, Packing::words, start.data() + at, nullptr, at, at + rows, nullptr,
                                         direct.data() + from, count % 2 == 0, from, factor, nullptr, added.data() + at},
                                        m);
                    }
                    const std::string what = describe(*k, LOG_N, m, "rows of a product") + " of " + std::to_string(count);
                    CHECK_SAME(got0, want0, what + ", half 0");
                    CHECK_SAME(got1, want1, what + ", half 1");
                }
            }
        }
    }
}

}  // namespace

TEST_MAIN()
