#include <memory>

#include "conv.h"
#include "planes.h"
#include "shifted-product.h"

namespace heml::f32 {

void convForward(const ConvShape& shape, const float* input, const float* weight, const float* bias, float* output,
                 const Runtime& runtime) {
    shape.check();
    const Kernels& kernels = runtime.kernels;
    const size_t outHeight = shape.outHeight(), outWidth = shape.outWidth(), terms = shape.groupIn() * shape.taps();
    const PlaneLayout one = forwardLayout(shape, 1);
    const size_t perRow = one.channels * one.phases[0] * one.phases[1] * one.columns;
    const size_t bandRows = bandRowsFor(outHeight, perRow, shape.batch * shape.groups);
    const size_t bands = (outHeight + bandRows - 1) / bandRows;
    const PlaneLayout layout = forwardLayout(shape, bandRows);
    const std::vector<size_t> offsets = forwardOffsets(shape, layout);
    std::vector<std::unique_ptr<PackedWeights>> packed;
    for (size_t group = 0; group < shape.groups; ++group) {
        const MatrixView matrix{weight + group * shape.groupOut() * terms, terms, 1};
        packed.push_back(std::make_unique<PackedWeights>(matrix, shape.groupOut(), terms, runtime));
    }

    runtime.executor.parallelFor(shape.batch * shape.groups * bands, [&](size_t begin, size_t end) {
        Scratch planes(runtime.pool, layout.size() + SLACK);
        Scratch panel(runtime.pool, panelSize(kernels, bandRows, outWidth, layout.columns));
        std::fill(planes.data() + layout.size(), planes.data() + layout.size() + SLACK, 0.0f);
        for (size_t unit = begin; unit < end; ++unit) {
            const size_t band = unit % bands, group = unit / bands % shape.groups, image = unit / bands / shape.groups;
            const size_t y0 = band * bandRows, rows = std::min(bandRows, outHeight - y0);
            const auto originY = static_cast<ptrdiff_t>(y0 * shape.stride[0]) - static_cast<ptrdiff_t>(shape.padding[0]);
            kernels.fillPlanes({input + (image * shape.inChannels + group * shape.groupIn()) * shape.height * shape.width,
                                layout.channels, shape.height, shape.width, originY, -static_cast<ptrdiff_t>(shape.padding[1]),
                                shape.stride[0], shape.stride[1], layout.phases[0], layout.phases[1], layout.rows, layout.columns,
                                planes.data()});
            const size_t channel = group * shape.groupOut();
            multiplyBand(kernels, *packed[group], planes.data(), offsets.data(), panel.data(),
                         {rows, outWidth, layout.columns, bias ? bias + channel : nullptr,
                          output + ((image * shape.outChannels + channel) * outHeight + y0) * outWidth, outHeight * outWidth,
                          outWidth, 1});
        }
    });
}

}  // namespace heml::f32
