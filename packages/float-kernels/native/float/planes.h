// The planes of a band: how a window of an image is copied, and where a tap finds its values (see conv.h).
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "conv.h"

namespace heml::f32 {

struct PlaneLayout {
    size_t channels;
    std::array<size_t, 2> stride;
    std::array<size_t, 2> phases;    // planes per direction: residues of the stride that some tap has
    size_t rows, columns;            // of a plane

    size_t plane() const { return rows * columns; }
    size_t size() const { return channels * phases[0] * phases[1] * plane(); }
};

// What taps (channel, ky, kx) read in forward direction, for bands of `bandRows` output rows.
PlaneLayout forwardLayout(const ConvShape& shape, size_t bandRows);
// Offset of each tap, (channel, ky, kx) ascending.
std::vector<size_t> forwardOffsets(const ConvShape& shape, const PlaneLayout& layout);

// Most rows of a band so that `floatsPerRow` times them stays within a share of the second-level cache; at least one. A
// batch too small to occupy threads is cut into several bands. Depends on the shape only.
size_t bandRowsFor(size_t outRows, size_t floatsPerRow, size_t images);

}  // namespace heml::f32
