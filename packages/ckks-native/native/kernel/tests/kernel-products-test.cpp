// Sums of products: the scalar kernel against the definition, the others against the scalar one, with
// enough terms to pass the folding threshold and with all operands at their largest.

#include "kernel-helpers.h"

using namespace heml::test;
using heml::kernel::AutomorphismTable;
using heml::kernel::bytesPerResidue;
using heml::kernel::HoistedInput;
using heml::kernel::HoistedStep;
using heml::kernel::KeyLimb;
using heml::kernel::Packing;
using heml::kernel::RepeatedLimb;
using heml::kernel::scalarKernels;
using heml::kernel::supportedKernels;

namespace {

constexpr int LOG_N = 10;
constexpr std::size_t N = std::size_t{1} << LOG_N;

std::vector<Modulus> productPrimes() {
    return {primesBelow(25, LOG_N, 1)[0], primesBelow(30, LOG_N, 1)[0], primesBelow(31, LOG_N, 1)[0],
            primesBelow(32, LOG_N, 1)[0], primesBelow(46, LOG_N, 1)[0], primesBelow(48, LOG_N, 1)[0],
            primeAbove(48, LOG_N)};
}

std::vector<Limb> limbs(std::size_t count, const Modulus& m, Fill fill, Random& random) {
    std::vector<Limb> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(filledLimb(N, m, fill, random));
    return all;
}

std::vector<const Word*> pointers(const std::vector<Limb>& all) {
    std::vector<const Word*> out;
    for (const Limb& limb : all) out.push_back(limb.data());
    return out;
}

/// What residues of a prime may be packed to.
std::vector<Packing> packings(const Modulus& m) {
    if (m.value >> 32 == 0) return {Packing::words, Packing::six, Packing::four};
    return {Packing::words, Packing::six};
}

/// Limbs as words or packed to exactly as many bytes as are needed.
class Packed {
public:
    Packed(const std::vector<Limb>& plain, Packing packing) {
        for (const Limb& limb : plain) {
            bytes_.emplace_back(bytesPerResidue(packing) * N);
            if (packing == Packing::words) {
                limbs_.push_back(limb.data());
                continue;
            }
            const auto pack = packing == Packing::six ? scalarKernels().pack48 : scalarKernels().pack32;
            pack(bytes_.back().data(), limb.data(), N);
            limbs_.push_back(bytes_.back().data());
        }
    }
    const KeyLimb* data() const { return limbs_.data(); }

private:
    std::vector<std::vector<std::uint8_t>> bytes_;
    std::vector<KeyLimb> limbs_;
};

Word sumOf(const std::vector<Limb>& a, std::size_t at, const std::vector<Limb>& b, std::size_t i, Word start, Word p) {
    Wide sum = start;
    for (std::size_t t = 0; t < a.size(); ++t) sum = (sum + static_cast<Wide>(a[t][at]) * b[t][i]) % p;
    return static_cast<Word>(sum);
}

}  // namespace

TEST(innerProductMatchesItsDefinition) {
    Random random(41);
    const AutomorphismTable rotation(LOG_N, 2 * N - 27);
    for (const Modulus& m : productPrimes()) {
        const std::vector<Limb> added = limbs(2, m, Fill::largest, random);
        for (std::size_t count : {1, 3, 4, 15, 16, 17, 130, 300}) {
            for (Fill fill : {Fill::random, Fill::largest}) {
                const std::vector<Limb> digits = limbs(count, m, fill, random), k0 = limbs(count, m, fill, random),
                                        k1 = limbs(count, m, fill, random), old = limbs(2, m, fill, random);
                for (const Kernels* k : supportedKernels()) {
                    const std::vector<Packing> all = packings(m);
                    for (std::size_t variant = 0; variant < 8 * all.size(); ++variant) {
                        const Packing packing = all[variant / 8];
                        const Word factor = variant & 4 ? m.value - 1 - count : 1;
                        const bool accumulate = variant & 1;
                        const AutomorphismTable* sigma = variant & 2 ? &rotation : nullptr;
                        const Packed keys0(k0, packing), keys1(k1, packing);
                        Limb got0 = old[0], got1 = old[1], want0 = old[0], want1 = old[1];
                        const std::vector<const Word*> d = pointers(digits);
                        const std::size_t begin = 24, end = N - 8;
                        k->innerProduct(
                            {got0.data() + begin, got1.data() + begin, d.data(), keys0.data(), keys1.data(), count, sigma,
                             packing, accumulate ? got0.data() + begin : nullptr, accumulate ? got1.data() + begin : nullptr,
                             begin, end, nullptr, nullptr, false, 0, factor, count % 2 ? added[0].data() + begin : nullptr,
                             count % 2 ? nullptr : added[1].data() + begin},
                            m);
                        for (std::size_t i = begin; i < end; ++i) {
                            const std::size_t at = sigma == nullptr ? i : sigma->sourceOf(i);
                            const auto times = [&](Word sum) { return static_cast<Word>(Wide{sum} * factor % m.value); };
                            const Word start0 = (accumulate ? old[0][i] : 0) + (count % 2 ? added[0][i] : 0);
                            const Word start1 = (accumulate ? old[1][i] : 0) + (count % 2 ? 0 : added[1][i]);
                            want0[i] = times(sumOf(digits, at, k0, i, start0, m.value));
                            want1[i] = times(sumOf(digits, at, k1, i, start1, m.value));
                        }
                        CHECK_SAME(got0, want0, describe(*k, LOG_N, m, "innerProduct 0"));
                        CHECK_SAME(got1, want1, describe(*k, LOG_N, m, "innerProduct 1"));
                    }
                }
            }
        }
    }
}

TEST(sumOfProductsWithRepeatedPlaintexts) {
    Random random(42);
    for (const Modulus& m : productPrimes()) {
        for (std::size_t count : {1, 3, 5, 15, 16, 17, 256, 520}) {
            const std::vector<Limb> a = limbs(count, m, count == 520 ? Fill::largest : Fill::mixed, random),
                                    b = limbs(count, m, Fill::largest, random);
            // narrow ones among others
            const bool narrow = m.value >> 32 == 0;
            const Packed four(b, narrow ? Packing::four : Packing::words);
            std::vector<RepeatedLimb> multipliers;
            for (std::size_t t = 0; t < count; ++t) {
                const int logRepeat = static_cast<int>(t % 11);
                if (narrow && t % 3 == 0)
                    multipliers.push_back({four.data()[t], logRepeat, Packing::four});
                else
                    multipliers.push_back({b[t].data(), logRepeat});
            }
            if (count > 4) multipliers[2].values = nullptr;
            if (count == 520) {  // absent terms where the sum is folded
                for (std::size_t t = 127; t < count; t += 128) multipliers[t].values = nullptr;
            }
            const Limb old = randomLimb(N, m, random);
            for (const Kernels* k : supportedKernels()) {
                for (bool accumulate : {false, true}) {
                    Limb got = old, want = old;
                    const std::vector<const Word*> factors = pointers(a);
                    k->sumProducts({got.data(), factors.data(), multipliers.data(), count, accumulate, 8, N}, m);
                    for (std::size_t i = 8; i < N; ++i) {
                        Wide sum = accumulate ? old[i] : 0;
                        for (std::size_t t = 0; t < count; ++t) {
                            if (multipliers[t].values == nullptr) continue;
                            sum = (sum + static_cast<Wide>(a[t][i]) * b[t][i >> (t % 11)]) % m.value;
                        }
                        want[i] = static_cast<Word>(sum);
                    }
                    CHECK_SAME(got, want, describe(*k, LOG_N, m, "sumProducts"));
                }
            }
        }
    }
}

namespace {

struct HoistedCase {
    std::size_t giants, steps;
    int logRepeat;   // of all plaintexts; -1: they differ
};

const AutomorphismTable& rotationOf(std::size_t step) {
    static const AutomorphismTable rotations[] = {{LOG_N, 3}, {LOG_N, 2 * N - 1}, {LOG_N, 81}};
    return rotations[step % 3];
}

// Operands of one case; the first step has no key and no automorphism.
struct HoistedOperands {
    static constexpr std::size_t DIGITS = 3;
    std::vector<Limb> digits, direct, plain;
    std::vector<std::vector<Limb>> keys0, keys1;
    std::vector<std::size_t> values;                   // which of plain; 4: absent
    std::vector<int> repeats;

    HoistedOperands(const HoistedCase& c, const Modulus& m, Random& random)
        : digits(limbs(DIGITS, m, Fill::largest, random)),
          direct(limbs(2, m, Fill::mixed, random)),
          plain(limbs(4, m, Fill::largest, random)) {
        for (std::size_t b = 0; b < c.steps; ++b) {
            keys0.push_back(limbs(DIGITS, m, Fill::mixed, random));
            keys1.push_back(limbs(DIGITS, m, Fill::largest, random));
        }
        for (std::size_t i = 0; i < c.steps * c.giants; ++i) {
            values.push_back(i % 6 == 5 ? 4 : i % 4);
            repeats.push_back(c.logRepeat < 0 ? static_cast<int>(i % 5) : c.logRepeat);
        }
    }

    // Adds to `sums` what the kernel is to add: first all first halves, then all second ones.
    void addTo(std::vector<Limb>& sums, const HoistedCase& c, const Modulus& m) const {
        for (std::size_t i = 16; i < N; ++i) {
            for (std::size_t b = 0; b < c.steps; ++b) {
                const std::size_t at = b == 0 ? i : rotationOf(b).sourceOf(i);
                const Word u[2] = {b == 0 ? direct[0][at] : sumOf(digits, at, keys0[b], i, direct[0][at], m.value),
                                   b == 0 ? direct[1][at] : sumOf(digits, at, keys1[b], i, 0, m.value)};
                for (std::size_t g = 0; g < c.giants; ++g) {
                    const std::size_t p = b * c.giants + g;
                    if (values[p] == 4) continue;
                    const Word value = plain[values[p]][i >> repeats[p]];
                    for (std::size_t half = 0; half < 2; ++half) {
                        Word& sum = sums[half * c.giants + g][i];
                        sum = static_cast<Word>((sum + static_cast<Wide>(u[half]) * value) % m.value);
                    }
                }
            }
        }
    }
};

// How keys and plaintexts are stored; mixed: every second plaintext as words.
struct Storage {
    Packing keys, plaintexts;
    bool mixed;
};

std::vector<Storage> storages(const Modulus& m) {
    std::vector<Storage> all{{Packing::words, Packing::words, false}, {Packing::six, Packing::words, false}};
    if (m.value >> 32 != 0) return all;
    all.push_back({Packing::four, Packing::four, false});
    all.push_back({Packing::six, Packing::four, true});
    return all;
}

// Several inputs with the steps of the first one, and the sums of each.
void runHoisted(const Kernels& k, const HoistedCase& c, const std::vector<HoistedOperands>& inputs, const Storage& storage,
                std::vector<std::vector<Limb>>& sums, const Modulus& m) {
    const HoistedOperands& o = inputs[0];
    std::vector<Packed> keys;
    for (std::size_t b = 0; b < c.steps; ++b) {
        keys.emplace_back(o.keys0[b], storage.keys);
        keys.emplace_back(o.keys1[b], storage.keys);
    }
    const Packed packed(o.plain, storage.plaintexts);
    std::vector<RepeatedLimb> plaintexts;
    for (std::size_t i = 0; i < o.values.size(); ++i) {
        if (o.values[i] == 4)
            plaintexts.push_back({nullptr, o.repeats[i]});
        else if (storage.mixed && i % 2 == 1)
            plaintexts.push_back({o.plain[o.values[i]].data(), o.repeats[i]});
        else
            plaintexts.push_back({packed.data()[o.values[i]], o.repeats[i], storage.plaintexts});
    }
    std::vector<HoistedStep> job;
    for (std::size_t b = 0; b < c.steps; ++b) {
        job.push_back({b == 0 ? nullptr : &rotationOf(b), b == 0 ? nullptr : keys[2 * b].data(),
                       b == 0 ? nullptr : keys[2 * b + 1].data(), plaintexts.data() + b * c.giants});
    }
    std::vector<std::vector<Word*>> out(inputs.size());
    std::vector<std::vector<const Word*>> digits;
    std::vector<HoistedInput> list;
    for (std::size_t n = 0; n < inputs.size(); ++n) {
        for (Limb& limb : sums[n]) out[n].push_back(limb.data());
        digits.push_back(pointers(inputs[n].digits));
        list.push_back(
            {digits[n].data(), inputs[n].direct[0].data(), inputs[n].direct[1].data(), out[n].data(), out[n].data() + c.giants});
    }
    k.hoistedProduct(
        {list.data(), list.size(), HoistedOperands::DIGITS, job.data(), c.steps, c.giants, storage.keys, true, 16, N}, m);
}

}  // namespace

TEST(hoistedProductIsInnerProductsThenSums) {
    Random random(43);
    // more steps than are kept at once, odd and even numbers of terms
    const HoistedCase cases[] = {{1, 5, -1}, {3, 5, -1}, {5, 40, -1}, {7, 5, -1}, {128, 5, -1}, {1, 6, 0},  {3, 40, 0},
                                 {3, 5, 1},  {2, 40, 1}, {3, 5, 2},   {2, 40, 2}, {3, 5, 3},    {2, 40, 3}, {3, 5, 6}};
    std::size_t inputs = 0;
    for (const Modulus& m : productPrimes()) {
        for (const HoistedCase& c : cases) {
            inputs = inputs % 5 + 1;
            std::vector<HoistedOperands> operands(inputs, HoistedOperands(c, m, random));
            std::vector<std::vector<Limb>> old, want;
            for (HoistedOperands& one : operands) {
                one.digits = limbs(HoistedOperands::DIGITS, m, Fill::mixed, random);
                one.direct = limbs(2, m, Fill::mixed, random);
                old.push_back(limbs(2 * c.giants, m, Fill::mixed, random));
                want.push_back(old.back());
                one.addTo(want.back(), c, m);
            }
            for (const Kernels* k : supportedKernels()) {
                for (const Storage& storage : storages(m)) {
                    std::vector<std::vector<Limb>> got = old;
                    runHoisted(*k, c, operands, storage, got, m);
                    for (std::size_t i = 0; i < inputs * 2 * c.giants; ++i) {
                        CHECK_SAME(got[i % inputs][i / inputs], want[i % inputs][i / inputs],
                                   describe(*k, LOG_N, m, "hoistedProduct"));
                    }
                }
            }
        }
    }
}

TEST(matrixProductMatchesItsDefinition) {
    Random random(44);
    for (const Modulus& m : productPrimes()) {
        for (std::size_t columns : {1, 5, 128, 129, 300}) {
            for (std::size_t rows : {1, 4, 7}) {
                const std::vector<Limb> sources = limbs(columns, m, Fill::largest, random),
                                        old = limbs(rows, m, Fill::mixed, random);
                const std::size_t stride = columns + 3;
                std::vector<Word> weights(rows * stride);
                for (Word& w : weights) w = random.below(4) == 0 ? m.value - 1 : random.below(m.value);
                for (const Kernels* k : supportedKernels()) {
                    for (bool accumulate : {false, true}) {
                        std::vector<Limb> got = old;
                        std::vector<Word*> targets;
                        for (Limb& limb : got) targets.push_back(limb.data());
                        const std::vector<const Word*> from = pointers(sources);
                        const std::size_t begin = 16, end = 16 + 8 * 33;  // an odd number of lines
                        k->matrixProduct(
                            {targets.data(), from.data(), weights.data(), stride, rows, columns, accumulate, begin, end}, m);
                        for (std::size_t r = 0; r < rows; ++r) {
                            Limb want = old[r];
                            for (std::size_t i = begin; i < end; ++i) {
                                Wide sum = accumulate ? old[r][i] : 0;
                                for (std::size_t c = 0; c < columns; ++c) {
                                    sum = (sum + static_cast<Wide>(sources[c][i]) * weights[r * stride + c]) % m.value;
                                }
                                want[i] = static_cast<Word>(sum);
                            }
                            CHECK_SAME(got[r], want, describe(*k, LOG_N, m, "matrixProduct"));
                        }
                    }
                }
            }
        }
    }
}

TEST_MAIN()
