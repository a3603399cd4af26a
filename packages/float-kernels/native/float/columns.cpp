#include "columns.h"

#include "share.h"

namespace heml::f32 {

namespace {

// task(offset, first channel, number of channels) for every image in ascending order; threads share out channels.
template <class Task>
void eachImage(const ChannelShape& shape, const Runtime& runtime, const Task& task) {
    share(runtime, shape.channels, shape.size(), [&](size_t begin, size_t end) {
        for (size_t image = 0; image < shape.images; ++image) task(image * shape.channels + begin, begin, end - begin);
    });
}

void clear(double* sums, size_t count) {
    for (size_t c = 0; c < count; ++c) sums[c] = 0;
}

}  // namespace

void columnMoments(const ChannelShape& shape, const float* input, double* mean, double* variance, const Runtime& runtime) {
    const Loops& loops = *runtime.kernels.loops;
    const auto count = static_cast<double>(shape.images);
    clear(mean, shape.channels);
    eachImage(shape, runtime, [&](size_t at, size_t c, size_t n) { loops.addColumns(input + at, mean + c, n); });
    for (size_t c = 0; c < shape.channels; ++c) mean[c] /= count;
    clear(variance, shape.channels);
    eachImage(shape, runtime,
              [&](size_t at, size_t c, size_t n) { loops.addSquareColumns(input + at, mean + c, variance + c, n); });
    for (size_t c = 0; c < shape.channels; ++c) variance[c] /= count;
}

void scaleColumns(const ChannelShape& shape, const float* input, const float* scale, const float* shift, float* output,
                  const Runtime& runtime) {
    eachImage(shape, runtime, [&](size_t at, size_t c, size_t n) {
        runtime.kernels.loops->scaleColumns(input + at, scale + c, shift + c, output + at, n);
    });
}

void columnGradientSums(const ChannelShape& shape, const float* gradient, const float* input, double* plain, double* weighted,
                        const Runtime& runtime) {
    const Loops& loops = *runtime.kernels.loops;
    clear(plain, shape.channels);
    clear(weighted, shape.channels);
    eachImage(shape, runtime, [&](size_t at, size_t c, size_t n) {
        loops.addColumns(gradient + at, plain + c, n);
        loops.addProductColumns(gradient + at, input + at, weighted + c, n);
    });
}

void normalizeColumns(const ChannelShape& shape, const float* gradient, const float* input, const ChannelGradients& channels,
                      float* inputGradient, const Runtime& runtime) {
    eachImage(shape, runtime, [&](size_t at, size_t c, size_t n) {
        runtime.kernels.loops->normalizeColumns(gradient + at, input + at, channels.from(c), inputGradient + at, n);
    });
}

}  // namespace heml::f32
