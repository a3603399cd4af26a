#include "planes.h"

#include <algorithm>

namespace heml::f32 {

namespace {

constexpr size_t BAND_FLOATS = size_t{48} << 10;   // 192 KB
constexpr size_t WANTED_UNITS = 16;                // bands in all, so that several threads find work

}  // namespace

PlaneLayout forwardLayout(const ConvShape& shape, size_t bandRows) {
    const auto& [ky, kx] = shape.kernel;
    const auto& [sy, sx] = shape.stride;
    return {shape.groupIn(),
            shape.stride,
            {std::min(ky, sy), std::min(kx, sx)},
            bandRows + (ky - 1) / sy,
            shape.outWidth() + (kx - 1) / sx};
}

std::vector<size_t> forwardOffsets(const ConvShape& shape, const PlaneLayout& layout) {
    const auto& [sy, sx] = shape.stride;
    std::vector<size_t> offsets;
    offsets.reserve(layout.channels * shape.taps());
    for (size_t channel = 0; channel < layout.channels; ++channel) {
        for (size_t ky = 0; ky < shape.kernel[0]; ++ky) {
            for (size_t kx = 0; kx < shape.kernel[1]; ++kx) {
                const size_t plane = (channel * layout.phases[0] + ky % sy) * layout.phases[1] + kx % sx;
                offsets.push_back(plane * layout.plane() + ky / sy * layout.columns + kx / sx);
            }
        }
    }
    return offsets;
}

size_t bandRowsFor(size_t outRows, size_t floatsPerRow, size_t images) {
    const size_t fitting = std::max<size_t>(1, BAND_FLOATS / std::max<size_t>(1, floatsPerRow));
    const size_t wanted = images >= WANTED_UNITS ? 1 : (WANTED_UNITS + images - 1) / images;
    const size_t bands = std::max((outRows + fitting - 1) / fitting, std::min(wanted, std::max<size_t>(1, outRows / 4)));
    return (outRows + bands - 1) / bands;
}

}  // namespace heml::f32
