// Sums and products with plaintexts. Products add up lazily in the kernel; a periodic plaintext is read in place.
#include "server/evaluator.h"
#include "operands.h"

namespace heml {

namespace {

constexpr size_t BLOCK = 1024;

template <typename Residue>
void expand(uint64_t* out, const Residue* values, int logRepeat, size_t begin, size_t count) {
    for (size_t j = 0; j < count; ++j) out[j] = values[(begin + j) >> logRepeat];
}

// Entries [begin, begin + count) of a periodic or packed limb, written out.
void expand(uint64_t* out, const kernel::RepeatedLimb& limb, size_t begin, size_t count) {
    if (limb.packing == kernel::Packing::four) {
        expand(out, static_cast<const uint32_t*>(limb.values), limb.logRepeat, begin, count);
    } else {
        expand(out, static_cast<const uint64_t*>(limb.values), limb.logRepeat, begin, count);
    }
}

Ciphertext combineFirst(const Ciphertext& a, const Plaintext& b, bool subtract, Executor& executor) {
    requirePlaintext(a, b);
    const Context& context = *a.context();
    const auto operation = subtract ? context.kernels().sub : context.kernels().add;
    Ciphertext out(a.context(), a.level(), a.degree());
    forLimbs(executor, a.degree() + 1, a.limbs(), [&](unsigned poly, size_t i) {
        if (poly != 0) {
            std::memcpy(out.limb(poly, i), a.limb(poly, i), context.ringDegree() * sizeof(uint64_t));
            return;
        }
        const kernel::RepeatedLimb limb = b.repeatedLimb(i);
        if (limb.logRepeat == 0 && limb.packing == kernel::Packing::words) {
            operation(out.limb(0, i), a.limb(0, i), static_cast<const uint64_t*>(limb.values), context.ringDegree(),
                      context.modulus(i));
        } else {
            alignas(64) uint64_t expanded[BLOCK];
            const size_t block = std::min(BLOCK, context.ringDegree());
            for (size_t begin = 0; begin < context.ringDegree(); begin += block) {
                expand(expanded, limb, begin, block);
                operation(out.limb(0, i) + begin, a.limb(0, i) + begin, expanded, block, context.modulus(i));
            }
        }
    });
    return out;
}

}  // namespace

Ciphertext addPlain(const Ciphertext& a, const Plaintext& b, Executor& executor) { return combineFirst(a, b, false, executor); }

Ciphertext subPlain(const Ciphertext& a, const Plaintext& b, Executor& executor) { return combineFirst(a, b, true, executor); }

Ciphertext mulPlain(const Ciphertext& a, const Plaintext& b, Executor& executor) {
    return mulPlainAccumulate(nullptr, {{&a, &b}}, executor);
}

Ciphertext mulPlainAccumulate(const Ciphertext* accumulator, const std::vector<PlainTerm>& terms, Executor& executor) {
    if (terms.empty()) throw InvalidArgumentError("a sum of products needs at least one term");
    const Ciphertext& first = *terms[0].ciphertext;
    unsigned degree = 1;
    for (const PlainTerm& term : terms) {
        requireSame(first, *term.ciphertext);
        requirePlaintext(first, *term.plaintext);
        degree = std::max(degree, term.ciphertext->degree());
    }
    if (accumulator) {
        requireSame(first, *accumulator);
        degree = std::max(degree, accumulator->degree());
    }
    const Context& context = *first.context();
    Ciphertext out(first.context(), first.level(), degree);
    forLimbs(executor, degree + 1, out.limbs(), [&](unsigned poly, size_t i) {
        std::vector<const uint64_t*> factors;
        std::vector<kernel::RepeatedLimb> multipliers;
        for (const PlainTerm& term : terms) {
            if (poly > term.ciphertext->degree()) continue;
            factors.push_back(term.ciphertext->limb(poly, i));
            multipliers.push_back(term.plaintext->repeatedLimb(i));
        }
        const bool seeded = accumulator && poly <= accumulator->degree();
        uint64_t* dst = out.limb(poly, i);
        if (seeded) std::memcpy(dst, accumulator->limb(poly, i), context.ringDegree() * sizeof(uint64_t));
        context.kernels().sumProducts({dst, factors.data(), multipliers.data(), factors.size(), seeded, 0, context.ringDegree()},
                                      context.modulus(i));
    });
    return out;
}

}  // namespace heml
