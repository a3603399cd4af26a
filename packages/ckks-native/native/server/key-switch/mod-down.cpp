#include "mod-down.h"

#include <vector>

#include "columns.h"
#include "dropped-limbs.h"

namespace heml {

namespace {

std::vector<const uint64_t*> limbsOf(const Poly& poly) {
    std::vector<const uint64_t*> out;
    for (size_t i = 0; i < poly.limbs(); ++i) out.push_back(poly.limb(i));
    return out;
}

}  // namespace

void splitSpecial(const Context& context, size_t j, uint64_t* dst, const uint64_t* src, size_t begin, size_t end) {
    context.kernels().nttInverseRows(dst, src, context.tables(context.qLimbs() + j), context.modDown().sourceFactor(j).factor,
                                     begin, end);
}

void splitDropped(const Context& context, unsigned level, size_t d, uint64_t* dst, const uint64_t* src, size_t begin,
                  size_t end) {
    context.kernels().nttInverseRows(dst, src, context.tables(context.limbsAt(level - 1) + d),
                                     context.negatedRescaleConverter(level).sourceFactor(d).factor, begin, end);
}

void convertSpecial(const Context& context, const std::vector<Poly>& special, Range which, Range limbs, std::vector<Poly>& out,
                    Executor& executor) {
    std::vector<ColumnConversion> conversions;
    for (size_t x = which.begin; x < which.end; ++x) {
        ColumnConversion conversion(context);
        std::vector<uint32_t> indices;
        for (size_t i = limbs.begin; i < limbs.end; ++i) {
            conversion.addTarget(out[x].limb(i), i);
            indices.push_back(static_cast<uint32_t>(i));
        }
        conversion.addSources(limbsOf(special[x]).data(), context.qLimbs(), context.modDown(), std::move(indices));
        conversions.push_back(std::move(conversion));
    }
    convertAll(context, conversions, executor);
}

void convertSpecialAndDropped(const Context& context, const std::vector<Poly>& special, const std::vector<Poly>& dropped,
                              Range which, unsigned level, std::vector<Poly>& out, Executor& executor) {
    const size_t kept = context.limbsAt(level - 1);
    std::vector<ColumnConversion> conversions;
    for (size_t x = which.begin; x < which.end; ++x) {
        ColumnConversion conversion(context);
        conversion.addSources(limbsOf(special[x]).data(), context.qLimbs(), context.modDown());
        conversion.addSources(limbsOf(dropped[x]).data(), kept, context.negatedRescaleConverter(level));
        for (size_t i = 0; i < kept; ++i) conversion.addTarget(out[x].limb(i), i);
        conversions.push_back(std::move(conversion));
    }
    convertAll(context, conversions, executor);
}

void modDown(const Context& context, const Poly& special, size_t limbs, Poly& target, Executor& executor,
             const std::function<void(size_t i)>& after) {
    Poly converted(context.pool(), limbs, context.ringDegree(), MemoryKind::Scratch);
    ColumnConversion conversion(context);
    conversion.addSources(limbsOf(special).data(), context.qLimbs(), context.modDown());
    for (size_t i = 0; i < limbs; ++i) conversion.addTarget(converted.limb(i), i);
    convertAll(context, {conversion}, executor);
    executor.parallelFor(limbs, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            context.kernels().nttForwardRowsAdd(target.limb(i), converted.limb(i), context.tables(i), 0, context.ringDegree());
            if (after) after(i);
        }
    });
}

void modDownAndRescale(const Context& context, const std::vector<Poly>& special, std::vector<Poly>& dropped, unsigned level,
                       const std::vector<Poly*>& targets, Executor& executor) {
    const DroppedLimbs limbs(context, level);
    const size_t n = context.ringDegree(), kept = limbs.kept(), count = limbs.count();
    std::vector<Poly> converted, split;
    for (size_t x = 0; x < targets.size(); ++x) {
        converted.emplace_back(context.pool(), kept + count, n, MemoryKind::Scratch);
        split.emplace_back(context.pool(), count, n, MemoryKind::Scratch);
    }
    const Range all{0, targets.size()};
    convertSpecial(context, special, all, {kept, kept + count}, converted, executor);
    executor.parallelFor(targets.size() * count, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            const size_t x = i / count, d = i % count;
            uint64_t* limb = dropped[x].limb(d);
            context.kernels().nttForwardRowsAdd(limb, converted[x].limb(kept + d), context.tables(kept + d), 0, n);
            splitDropped(context, level, d, split[x].limb(d), limb, 0, n);
        }
    });
    convertSpecialAndDropped(context, special, split, all, level, converted, executor);
    executor.parallelFor(targets.size() * kept, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            const size_t x = i / kept, t = i % kept;
            uint64_t* limb = targets[x]->limb(t);
            context.kernels().nttForwardRowsAdd(limb, converted[x].limb(t), context.tables(t), 0, n);
            context.kernels().mulScalar(limb, limb, limbs.inverse(t), n, context.modulus(t));
        }
    });
}

}  // namespace heml
