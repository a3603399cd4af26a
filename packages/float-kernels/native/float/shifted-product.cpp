#include "shifted-product.h"

namespace heml::f32 {

PackedWeights::PackedWeights(const MatrixView& matrix, size_t rows, size_t terms, const Runtime& runtime)
    : blocks_(rows, runtime.kernels.rows), terms_(terms), packed_(runtime.pool, rows * std::max<size_t>(1, terms)) {
    for (size_t i = 0; i < blocks_.count() && terms != 0; ++i)
        packPanel(packed_.data() + blocks_.begin(i) * terms, blocks_.size(i), matrix, blocks_.begin(i), blocks_.size(i), 0,
                  terms);
}

size_t panelSize(const Kernels& kernels, size_t height, size_t columns, size_t width) {
    return kernels.rows * roundUp((height - 1) * width + columns, kernels.columns);
}

void multiplyBand(const Kernels& kernels, PackedWeights& weights, const float* planes, const size_t* offsets, float* panel,
                  const BandTarget& target) {
    const size_t positions = (target.height - 1) * target.width + target.columns;
    const size_t stride = roundUp(positions, kernels.columns);
    const Blocks& blocks = weights.blocks();
    for (size_t i = 0; i < blocks.count(); ++i) {
        kernels.product({blocks.size(i), weights.terms(), positions, weights.block(i), planes, offsets, panel, stride});
        kernels.storeRows({blocks.size(i), target.height, target.columns, panel, stride, target.width,
                           target.bias ? target.bias + blocks.begin(i) : nullptr,
                           target.first + blocks.begin(i) * target.channelStride, target.channelStride, target.rowStride,
                           target.columnStride});
    }
}

}  // namespace heml::f32
