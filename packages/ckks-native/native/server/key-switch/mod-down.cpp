#include "mod-down.h"

#include <vector>

#include "columns.h"
#include "decompose.h"
#include "dropped-limbs.h"

namespace heml {

namespace {

std::vector<const uint64_t*> limbsOf(const Poly& poly, size_t begin, size_t end) {
    std::vector<const uint64_t*> out;
    for (size_t i = begin; i < end; ++i) out.push_back(poly.limb(i));
    return out;
}

// The limbs that rescaling drops, divided by P, split for what brings them over.
Poly splitDropped(const Context& context, const Poly& special, unsigned level, Poly& wide, Executor& executor) {
    const kernel::BaseConverter& rescale = context.dividedRescaleConverter(level);
    const size_t kept = context.limbsAt(level - 1);
    const size_t dropped = context.limbsAt(level) - kept;
    Poly converted(context.pool(), dropped, context.ringDegree(), MemoryKind::Scratch);
    ColumnConversion conversion(context);
    std::vector<uint32_t> indices;
    for (size_t d = 0; d < dropped; ++d) {
        conversion.addTarget(converted.limb(d), kept + d);
        indices.push_back(static_cast<uint32_t>(kept + d));
    }
    conversion.addSources(limbsOf(special, 0, special.limbs()).data(), context.qLimbs(), context.modDown(), indices);
    convertAll(context, {conversion}, executor);
    executor.parallelFor(dropped, [&](size_t begin, size_t end) {
        const kernel::Kernels& kernels = context.kernels();
        const size_t n = context.ringDegree();
        for (size_t d = begin; d < end; ++d) {
            const kernel::NttTables& tables = context.tables(kept + d);
            uint64_t* limb = wide.limb(kept + d);
            kernels.nttForwardRowsAdd(limb, converted.limb(d), tables, 0, n);
            kernels.nttInverseRows(converted.limb(d), limb, tables, rescale.sourceFactor(d).factor, 0, n);
        }
    });
    return converted;
}

}  // namespace

void splitSpecial(const Context& context, size_t j, uint64_t* dst, const uint64_t* src, size_t begin, size_t end) {
    context.kernels().nttInverseRows(dst, src, context.tables(context.qLimbs() + j), context.modDown().sourceFactor(j).factor,
                                     begin, end);
}

void convertSpecial(const Context& context, const std::vector<Poly>& special, std::vector<Poly>& out, Executor& executor) {
    std::vector<ColumnConversion> conversions;
    for (size_t x = 0; x < special.size(); ++x) {
        ColumnConversion conversion(context);
        conversion.addSources(limbsOf(special[x], 0, special[x].limbs()).data(), context.qLimbs(), context.modDown());
        for (size_t i = 0; i < out[x].limbs(); ++i) conversion.addTarget(out[x].limb(i), i);
        conversions.push_back(std::move(conversion));
    }
    convertAll(context, conversions, executor);
}

void modDown(const Context& context, const Poly& special, size_t limbs, Poly& target, Executor& executor,
             const std::function<void(size_t i)>& after) {
    Poly converted(context.pool(), limbs, context.ringDegree(), MemoryKind::Scratch);
    ColumnConversion conversion(context);
    conversion.addSources(limbsOf(special, 0, special.limbs()).data(), context.qLimbs(), context.modDown());
    for (size_t i = 0; i < limbs; ++i) conversion.addTarget(converted.limb(i), i);
    convertAll(context, {conversion}, executor);
    executor.parallelFor(limbs, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            context.kernels().nttForwardRowsAdd(target.limb(i), converted.limb(i), context.tables(i), 0, context.ringDegree());
            if (after) after(i);
        }
    });
}

void modDownRescale(const Context& context, const Poly& special, unsigned level, Poly& wide, Poly& out, Executor& executor) {
    const Poly split = splitDropped(context, special, level, wide, executor);
    const DroppedLimbs dropped(context, level);
    const kernel::Kernels& kernels = context.kernels();
    const size_t n = context.ringDegree();
    Poly converted(context.pool(), dropped.kept(), n, MemoryKind::Scratch);
    ColumnConversion conversion(context);
    conversion.addSources(limbsOf(special, 0, special.limbs()).data(), context.qLimbs(), context.modDownRescale(level));
    conversion.addSources(limbsOf(split, 0, split.limbs()).data(), dropped.kept(), context.dividedRescaleConverter(level));
    for (size_t i = 0; i < dropped.kept(); ++i) conversion.addTarget(converted.limb(i), i);
    convertAll(context, {conversion}, executor);
    const size_t rows = kernels.rowWords(static_cast<int>(context.logN()));
    executor.parallelFor(dropped.kept(), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            for (size_t at = 0; at < n; at += rows) {
                kernels.mulScalar(out.limb(i) + at, wide.limb(i) + at, dropped.inverse(i), rows, context.modulus(i));
                kernels.nttForwardRowsAdd(out.limb(i) + at, converted.limb(i), context.tables(i), at, at + rows);
            }
        }
    });
}

}  // namespace heml
