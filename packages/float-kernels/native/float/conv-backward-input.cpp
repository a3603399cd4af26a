// The gradient of the input is, for each phase of the stride, a convolution of stride 1 of the output's gradient with the
// taps of that phase: input row y is reached from output row u - t by tap phase + stride * t, where y + padding = stride * u
// + phase. All phases read the same planes; a phase without taps gets zeros.
#include <algorithm>
#include <memory>

#include "conv.h"
#include "planes.h"
#include "shifted-product.h"

namespace heml::f32 {

namespace {

// One phase in one direction: inputs first, first + stride, ... (count of them); taps phase, phase + stride, ...
struct Phase {
    size_t residue;    // of y + padding
    size_t first;
    size_t count;
    size_t start;      // u of the first input
    size_t taps;
};

std::vector<Phase> phasesOf(size_t size, size_t kernel, size_t stride, size_t padding) {
    std::vector<Phase> phases;
    for (size_t first = 0; first < std::min(stride, size); ++first) {
        const size_t residue = (first + padding) % stride;
        phases.push_back({residue, first, (size - first + stride - 1) / stride, (first + padding) / stride,
                          residue < kernel ? (kernel - residue + stride - 1) / stride : 0});
    }
    return phases;
}

// What all phases of a direction need of the planes.
struct Reach {
    size_t start = SIZE_MAX;   // least u
    size_t count = 0;          // most inputs of a phase
    size_t taps = 1;           // most taps
    size_t spread = 0;         // greatest u of a first input, less the least

    explicit Reach(const std::vector<Phase>& phases) {
        for (const Phase& phase : phases) {
            start = std::min(start, phase.start);
            count = std::max(count, phase.count);
            taps = std::max(taps, phase.taps);
        }
        for (const Phase& phase : phases) spread = std::max(spread, phase.start - start);
    }
    // Coordinate in the output's gradient of the first plane row (column).
    ptrdiff_t origin() const { return static_cast<ptrdiff_t>(start) - static_cast<ptrdiff_t>(taps - 1); }
    size_t extent(size_t inputs) const { return inputs + spread + taps - 1; }
};

struct PhasePair {
    Phase y, x;
    std::vector<size_t> offsets;
    std::vector<std::unique_ptr<PackedWeights>> weights;   // per group
};

std::vector<size_t> offsetsOf(const ConvShape& shape, const Phase& y, const Phase& x, const Reach& down, const Reach& across,
                              const PlaneLayout& layout) {
    std::vector<size_t> offsets;
    for (size_t channel = 0; channel < shape.groupOut(); ++channel) {
        for (size_t ty = 0; ty < y.taps; ++ty) {
            for (size_t tx = 0; tx < x.taps; ++tx) {
                const size_t row = y.start - down.start + down.taps - 1 - ty;
                const size_t column = x.start - across.start + across.taps - 1 - tx;
                offsets.push_back(channel * layout.plane() + row * layout.columns + column);
            }
        }
    }
    return offsets;
}

// Matrix of one group and phase, (outChannel, ty, tx) x inChannel: contiguous along the rows of the product.
std::vector<float> matrixOf(const ConvShape& shape, size_t group, const Phase& y, const Phase& x, const float* weight) {
    const size_t in = shape.groupIn(), out = shape.groupOut();
    std::vector<float> matrix;
    matrix.reserve(out * y.taps * x.taps * in);
    for (size_t o = group * out; o < (group + 1) * out; ++o) {
        for (size_t ty = 0; ty < y.taps; ++ty) {
            for (size_t tx = 0; tx < x.taps; ++tx) {
                const size_t ky = y.residue + ty * shape.stride[0], kx = x.residue + tx * shape.stride[1];
                for (size_t i = 0; i < in; ++i)
                    matrix.push_back(weight[((o * in + i) * shape.kernel[0] + ky) * shape.kernel[1] + kx]);
            }
        }
    }
    return matrix;
}

}  // namespace

void convBackwardInput(const ConvShape& shape, const float* outputGradient, const float* weight, float* inputGradient,
                       const Runtime& runtime) {
    shape.check();
    const Kernels& kernels = runtime.kernels;
    const size_t outHeight = shape.outHeight(), outWidth = shape.outWidth();
    const auto downPhases = phasesOf(shape.height, shape.kernel[0], shape.stride[0], shape.padding[0]);
    const auto acrossPhases = phasesOf(shape.width, shape.kernel[1], shape.stride[1], shape.padding[1]);
    const Reach down(downPhases), across(acrossPhases);
    const size_t columns = across.extent(across.count);
    const size_t bandRows = bandRowsFor(down.count, shape.groupOut() * columns, shape.batch * shape.groups);
    const size_t bands = (down.count + bandRows - 1) / bandRows;
    const PlaneLayout layout{shape.groupOut(), {1, 1}, {1, 1}, down.extent(bandRows), columns};

    std::vector<PhasePair> pairs;
    for (const Phase& y : downPhases) {
        for (const Phase& x : acrossPhases) {
            PhasePair pair{y, x, offsetsOf(shape, y, x, down, across, layout), {}};
            for (size_t group = 0; group < shape.groups; ++group) {
                const std::vector<float> matrix = matrixOf(shape, group, y, x, weight);
                const MatrixView view{matrix.data(), 1, shape.groupIn()};
                pair.weights.push_back(std::make_unique<PackedWeights>(view, shape.groupIn(), pair.offsets.size(), runtime));
            }
            pairs.push_back(std::move(pair));
        }
    }

    runtime.executor.parallelFor(shape.batch * shape.groups * bands, [&](size_t begin, size_t end) {
        Scratch planes(runtime.pool, layout.size() + SLACK);
        Scratch panel(runtime.pool, panelSize(kernels, bandRows, across.count, layout.columns));
        std::fill(planes.data() + layout.size(), planes.data() + layout.size() + SLACK, 0.0f);
        for (size_t unit = begin; unit < end; ++unit) {
            const size_t band = unit % bands, group = unit / bands % shape.groups, image = unit / bands / shape.groups;
            const size_t v0 = band * bandRows;
            kernels.fillPlanes({outputGradient + (image * shape.outChannels + group * shape.groupOut()) * outHeight * outWidth,
                                layout.channels, outHeight, outWidth, down.origin() + static_cast<ptrdiff_t>(v0), across.origin(),
                                1, 1, 1, 1, layout.rows, layout.columns, planes.data()});
            float* channel = inputGradient + (image * shape.inChannels + group * shape.groupIn()) * shape.height * shape.width;
            for (PhasePair& pair : pairs) {
                if (pair.y.count <= v0) continue;
                multiplyBand(kernels, *pair.weights[group], planes.data(), pair.offsets.data(), panel.data(),
                             {std::min(bandRows, pair.y.count - v0), pair.x.count, layout.columns, nullptr,
                              channel + (pair.y.first + v0 * shape.stride[0]) * shape.width + pair.x.first,
                              shape.height * shape.width, shape.stride[0] * shape.width, shape.stride[1]});
            }
        }
    });
}

}  // namespace heml::f32
