#include "channels.h"

#include "columns.h"
#include "scratch.h"
#include "share.h"

namespace heml::f32 {

size_t ChannelShape::size() const { return checkedProduct(checkedProduct(images, channels), positions); }

void ChannelShape::check() const {
    if (images == 0 || channels == 0 || positions == 0)
        throw InvalidArgumentError("sizes: expected at least one image, channel and position, got " + std::to_string(images) +
                                   ", " + std::to_string(channels) + " and " + std::to_string(positions));
    static_cast<void>(size());
}

namespace {

// task(row, channel, offset of the row) for every image's part of every channel, in any order, on all threads.
template <class Task>
void eachRow(const ChannelShape& shape, const Runtime& runtime, const Task& task) {
    share(runtime, shape.images * shape.channels, shape.size(), [&](size_t begin, size_t end) {
        for (size_t row = begin; row < end; ++row) task(row, row % shape.channels, row * shape.positions);
    });
}

// Sums of rows, kept until all are there, then added image by image.
class RowSums {
public:
    RowSums(const ChannelShape& shape, MemoryPool& pool)
        : shape_(shape), buffer_(pool.allocate(shape.images * shape.channels * sizeof(double), MemoryKind::Scratch)) {}

    double& operator[](size_t row) { return reinterpret_cast<double*>(buffer_.data())[row]; }
    void addTo(double* sums) {
        for (size_t channel = 0; channel < shape_.channels; ++channel) sums[channel] = 0;
        for (size_t image = 0; image < shape_.images; ++image) {
            for (size_t channel = 0; channel < shape_.channels; ++channel)
                sums[channel] += (*this)[image * shape_.channels + channel];
        }
    }

private:
    const ChannelShape& shape_;
    Buffer buffer_;
};

}  // namespace

void channelMoments(const ChannelShape& shape, const float* input, double* mean, double* variance, const Runtime& runtime) {
    shape.check();
    if (shape.positions == 1) return columnMoments(shape, input, mean, variance, runtime);
    const Loops& loops = *runtime.kernels.loops;
    const auto count = static_cast<double>(shape.images * shape.positions);
    RowSums rows(shape, runtime.pool);
    eachRow(shape, runtime, [&](size_t row, size_t, size_t at) { rows[row] = loops.sum(input + at, shape.positions); });
    rows.addTo(mean);
    for (size_t channel = 0; channel < shape.channels; ++channel) mean[channel] /= count;
    eachRow(shape, runtime, [&](size_t row, size_t channel, size_t at) {
        rows[row] = loops.squares(input + at, mean[channel], shape.positions);
    });
    rows.addTo(variance);
    for (size_t channel = 0; channel < shape.channels; ++channel) variance[channel] /= count;
}

void scaleChannels(const ChannelShape& shape, const float* input, const float* scale, const float* shift, float* output,
                   const Runtime& runtime) {
    shape.check();
    if (shape.positions == 1) return scaleColumns(shape, input, scale, shift, output, runtime);
    eachRow(shape, runtime, [&](size_t, size_t channel, size_t at) {
        runtime.kernels.loops->scale(input + at, scale[channel], shift[channel], output + at, shape.positions);
    });
}

void channelSums(const ChannelShape& shape, const float* gradient, const float* input, double* plain, double* weighted,
                 const Runtime& runtime) {
    shape.check();
    if (shape.positions == 1) return columnGradientSums(shape, gradient, input, plain, weighted, runtime);
    RowSums ofGradient(shape, runtime.pool), ofProducts(shape, runtime.pool);
    eachRow(shape, runtime, [&](size_t row, size_t, size_t at) {
        runtime.kernels.loops->sums(gradient + at, input + at, shape.positions, &ofGradient[row], &ofProducts[row]);
    });
    ofGradient.addTo(plain);
    ofProducts.addTo(weighted);
}

void normalizationBackward(const ChannelShape& shape, const float* gradient, const float* input, const ChannelGradients& channels,
                           float* inputGradient, const Runtime& runtime) {
    shape.check();
    if (shape.positions == 1) return normalizeColumns(shape, gradient, input, channels, inputGradient, runtime);
    const auto& [factor, average, centre, slope] = channels;
    eachRow(shape, runtime, [&](size_t, size_t c, size_t at) {
        runtime.kernels.loops->normalize(gradient + at, input + at, {factor[c], average[c], centre[c], slope[c]},
                                         inputGradient + at, shape.positions);
    });
}

}  // namespace heml::f32
