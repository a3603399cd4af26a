// The gradient of weight (o, k) is the dot product of outputGradient's channel o with the shifted view of tap k, over all
// images. The gradient's rows are laid out as wide as the planes, with zeros between them, so both operands are read in
// steps of whole vectors; the bias is one more tap, whose view is all ones.
#include <algorithm>

#include "conv.h"
#include "planes.h"
#include "scratch.h"

namespace heml::f32 {

namespace {

constexpr size_t CHUNK_FLOATS = size_t{128} << 10;         // 512 KB of operands stay in the second-level cache
constexpr size_t LEAST_CHUNKS = 8;                         // of a small batch, so that several threads find work
constexpr size_t MOST_SLICES = 32;                         // independent partial sums: what threads share out
constexpr size_t PARTIAL_FLOATS = size_t{16} << 20;        // 64 MB of them at most, but two slices always

struct Plan {
    const ConvShape& shape;
    size_t outHeight, outWidth, bandRows, bands;
    PlaneLayout layout;
    size_t positions;          // of one item and channel, rounded up to LANES
    size_t planesSize;         // of one item: planes, slack, ones
    size_t gradientSize;       // of one item
    size_t chunk, chunks;      // items of a chunk; chunks
    size_t slices;
    std::vector<size_t> offsets;

    Plan(const ConvShape& s, bool bias) : shape(s), outHeight(s.outHeight()), outWidth(s.outWidth()) {
        const PlaneLayout one = forwardLayout(s, 1);
        const size_t perRow = (one.channels * one.phases[0] * one.phases[1] + s.groupOut()) * one.columns;
        bandRows = bandRowsFor(outHeight, perRow, s.batch * s.groups);
        bands = (outHeight + bandRows - 1) / bandRows;
        layout = forwardLayout(s, bandRows);
        positions = roundUp((bandRows - 1) * layout.columns + outWidth, LANES);
        offsets = forwardOffsets(s, layout);
        const size_t ones = layout.size() + SLACK;
        if (bias) offsets.push_back(ones);
        planesSize = ones + (bias ? positions : 0);
        gradientSize = s.groupOut() * positions;
        const size_t items = s.batch * bands;
        chunk = std::clamp<size_t>(CHUNK_FLOATS / (planesSize + gradientSize), 1, (items + LEAST_CHUNKS - 1) / LEAST_CHUNKS);
        chunks = (items + chunk - 1) / chunk;
        const size_t affordable = std::max<size_t>(2, PARTIAL_FLOATS / (s.outChannels * offsets.size()));
        slices = std::min({MOST_SLICES, chunks, affordable});
    }
    size_t items() const { return shape.batch * bands; }
    size_t partialSize() const { return shape.groupOut() * offsets.size(); }   // of one slice and group
};

void loadItem(const Plan& plan, const Kernels& kernels, size_t item, size_t group, const float* input, const float* gradient,
              float* planes, float* rows) {
    const ConvShape& s = plan.shape;
    const PlaneLayout& layout = plan.layout;
    const size_t image = item / plan.bands, y0 = item % plan.bands * plan.bandRows;
    const size_t height = std::min(plan.bandRows, plan.outHeight - y0);
    const auto originY = static_cast<ptrdiff_t>(y0 * s.stride[0]) - static_cast<ptrdiff_t>(s.padding[0]);
    kernels.fillPlanes({input + (image * s.inChannels + group * s.groupIn()) * s.height * s.width, layout.channels, s.height,
                        s.width, originY, -static_cast<ptrdiff_t>(s.padding[1]), s.stride[0], s.stride[1], layout.phases[0],
                        layout.phases[1], layout.rows, layout.columns, planes});
    for (size_t o = 0; o < s.groupOut(); ++o) {
        const size_t channel = image * s.outChannels + group * s.groupOut() + o;
        // the last row ends with the output: what follows it would not fit
        float* to = rows + o * plan.positions;
        const float* from = gradient + (channel * plan.outHeight + y0) * plan.outWidth;
        kernels.fillPlanes({from, 1, height - 1, plan.outWidth, 0, 0, 1, 1, 1, 1, height - 1, layout.columns, to});
        const size_t last = (height - 1) * layout.columns;
        std::copy_n(from + (height - 1) * plan.outWidth, plan.outWidth, to + last);
        std::fill(to + last + plan.outWidth, to + plan.positions, 0.0f);
    }
}

void addChunk(const Plan& plan, const Kernels& kernels, size_t first, size_t group, const float* input, const float* gradient,
              float* planes, float* rows, float* sums) {
    const size_t count = std::min(plan.chunk, plan.items() - first);
    for (size_t i = 0; i < count; ++i)
        loadItem(plan, kernels, first + i, group, input, gradient, planes + i * plan.planesSize, rows + i * plan.gradientSize);
    kernels.dots({plan.shape.groupOut(), plan.offsets.size(), count, plan.positions, rows, plan.gradientSize, planes,
                  plan.planesSize, plan.offsets.data(), sums, plan.offsets.size()});
}

// Adds the slices of one output channel and writes its weights and bias.
void finishChannel(const Plan& plan, size_t channel, const float* partials, float* weightGradient, float* biasGradient) {
    const ConvShape& s = plan.shape;
    const size_t stride = plan.offsets.size(), taps = s.groupIn() * s.taps();
    const size_t group = channel / s.groupOut(), row = channel % s.groupOut();
    float* to = weightGradient + channel * taps;
    for (size_t slice = 0; slice < plan.slices; ++slice) {
        const float* from = partials + (slice * s.groups + group) * plan.partialSize() + row * stride;
        for (size_t k = 0; k < taps; ++k) to[k] = slice == 0 ? from[k] : to[k] + from[k];
        if (biasGradient) biasGradient[channel] = slice == 0 ? from[taps] : biasGradient[channel] + from[taps];
    }
}

}  // namespace

void convBackwardWeight(const ConvShape& shape, const float* input, const float* outputGradient, float* weightGradient,
                        float* biasGradient, const Runtime& runtime) {
    shape.check();
    const Kernels& kernels = runtime.kernels;
    const Plan plan(shape, biasGradient != nullptr);
    Scratch partials(runtime.pool, plan.slices * shape.groups * plan.partialSize());

    runtime.executor.parallelFor(plan.slices * shape.groups, [&](size_t begin, size_t end) {
        Scratch planes(runtime.pool, plan.chunk * plan.planesSize + SLACK);
        Scratch rows(runtime.pool, plan.chunk * plan.gradientSize);
        std::fill(planes.data(), planes.data() + plan.chunk * plan.planesSize + SLACK, 0.0f);
        if (biasGradient) {
            for (size_t i = 0; i < plan.chunk; ++i) {
                float* ones = planes.data() + i * plan.planesSize + plan.offsets.back();
                std::fill(ones, ones + plan.positions, 1.0f);
            }
        }
        for (size_t unit = begin; unit < end; ++unit) {
            const size_t group = unit % shape.groups, slice = unit / shape.groups;
            float* sums = partials.data() + unit * plan.partialSize();
            std::fill(sums, sums + plan.partialSize(), 0.0f);
            for (size_t c = slice * plan.chunks / plan.slices; c < (slice + 1) * plan.chunks / plan.slices; ++c)
                addChunk(plan, kernels, c * plan.chunk, group, input, outputGradient, planes.data(), rows.data(), sums);
        }
    });
    runtime.executor.parallelFor(shape.outChannels, [&](size_t begin, size_t end) {
        for (size_t channel = begin; channel < end; ++channel)
            finishChannel(plan, channel, partials.data(), weightGradient, biasGradient);
    });
}

}  // namespace heml::f32
