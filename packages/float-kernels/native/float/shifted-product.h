// The product of a packed weight matrix with shifted views of planes, stored into an image.
#pragma once

#include <cstddef>
#include <vector>

#include "conv.h"
#include "pack.h"
#include "scratch.h"

namespace heml::f32 {

// Weights of one group and phase, packed into blocks of rows as the product kernel wants them.
class PackedWeights {
public:
    PackedWeights(const MatrixView& matrix, size_t rows, size_t terms, const Runtime& runtime);
    const Blocks& blocks() const { return blocks_; }
    const float* block(size_t i) { return packed_.data() + blocks_.begin(i) * terms_; }
    size_t terms() const { return terms_; }

private:
    Blocks blocks_;
    size_t terms_;
    Scratch packed_;
};

// Where the results of one band go: `height` rows of `columns` positions, planes' rows being `width` wide.
struct BandTarget {
    size_t height, columns, width;
    const float* bias;          // null: none
    float* first;               // of channel 0, row 0 of the band
    size_t channelStride, rowStride, columnStride;
};

// Floats of the panel that multiplyBand needs.
size_t panelSize(const Kernels& kernels, size_t height, size_t columns, size_t width);

void multiplyBand(const Kernels& kernels, PackedWeights& weights, const float* planes, const size_t* offsets, float* panel,
                  const BandTarget& target);

}  // namespace heml::f32
