#include "pool.h"

#include <algorithm>
#include <atomic>

#include "scratch.h"
#include "share.h"

namespace heml::f32 {

size_t PoolShape::inputSize() const { return checkedProduct(checkedProduct(height, width), planes); }
size_t PoolShape::outputSize() const { return checkedProduct(results(), planes); }

void PoolShape::check() const {
    if (planes == 0 || height == 0 || width == 0 || kernel == 0 || stride == 0)
        throw InvalidArgumentError("pooling: expected positive sizes, got one that is 0");
    if (kernel > height || kernel > width)
        throw InvalidArgumentError("kernel: expected at most the plane, " + std::to_string(height) + " x " +
                                   std::to_string(width) + ", got " + std::to_string(kernel));
    if (inputSize() > size_t{1} << 32) throw InvalidArgumentError("pooling: expected at most 2^32 inputs");
}

namespace {

template <class Task>
void eachPlane(const PoolShape& shape, const Runtime& runtime, const Task& task) {
    share(runtime, shape.planes, shape.inputSize(), [&](size_t begin, size_t end) {
        for (size_t plane = begin; plane < end; ++plane) task(plane);
    });
}

// visit(result, upper left corner) for the windows of one plane, both counted from the plane's beginning.
template <class Visit>
void eachWindow(const PoolShape& shape, const Visit& visit) {
    const size_t rows = shape.rows(), columns = shape.columns();
    for (size_t row = 0; row < rows; ++row) {
        for (size_t column = 0; column < columns; ++column)
            visit(row * columns + column, row * shape.stride * shape.width + column * shape.stride);
    }
}

// visit(index) for the values of a window, rows ascending, columns ascending.
template <class Visit>
void eachValue(const PoolShape& shape, size_t corner, const Visit& visit) {
    for (size_t y = 0; y < shape.kernel; ++y) {
        for (size_t x = 0; x < shape.kernel; ++x) visit(corner + y * shape.width + x);
    }
}

void averagePlane(const PoolShape& shape, const Loops& loops, const float* input, float* output) {
    if (shape.pairs()) {
        for (size_t row = 0; row < shape.rows(); ++row) {
            const float* above = input + 2 * row * shape.width;
            loops.averagePairs(above, above + shape.width, output + row * shape.columns(), shape.columns());
        }
        return;
    }
    const auto area = static_cast<double>(shape.kernel * shape.kernel);
    eachWindow(shape, [&](size_t result, size_t corner) {
        double sum = 0;
        eachValue(shape, corner, [&](size_t i) { sum += static_cast<double>(input[i]); });
        output[result] = static_cast<float>(sum / area);
    });
}

void spreadPlane(const PoolShape& shape, const Loops& loops, const float* gradient, float* input) {
    if (shape.pairs()) {
        const size_t covered = 2 * shape.columns();
        for (size_t row = 0; row < shape.rows(); ++row) {
            float* above = input + 2 * row * shape.width;
            float* below = above + shape.width;
            loops.spreadPairs(gradient + row * shape.columns(), above, below, shape.columns());
            std::fill(above + covered, above + shape.width, 0.0f);
            std::fill(below + covered, below + shape.width, 0.0f);
        }
        std::fill(input + 2 * shape.rows() * shape.width, input + shape.plane(), 0.0f);
        return;
    }
    std::fill(input, input + shape.plane(), 0.0f);
    const auto area = static_cast<double>(shape.kernel * shape.kernel);
    eachWindow(shape, [&](size_t result, size_t corner) {
        const double share = static_cast<double>(gradient[result]) / area;
        eachValue(shape, corner, [&](size_t i) { input[i] = static_cast<float>(static_cast<double>(input[i]) + share); });
    });
}

// `first`: index of the plane's first value in the whole input.
void largestOfPlane(const PoolShape& shape, const Loops& loops, const float* input, size_t first, float* output,
                    uint32_t* winners) {
    if (shape.pairs()) {
        for (size_t row = 0; row < shape.rows(); ++row) {
            const size_t at = 2 * row * shape.width, to = row * shape.columns();
            loops.maxPairs(input + at, input + at + shape.width, static_cast<uint32_t>(first + at),
                           static_cast<uint32_t>(shape.width), output + to, winners + to, shape.columns());
        }
        return;
    }
    eachWindow(shape, [&](size_t result, size_t corner) {
        size_t best = corner;
        eachValue(shape, corner, [&](size_t i) {
            if (input[i] > input[best]) best = i;
        });
        output[result] = input[best];
        winners[result] = static_cast<uint32_t>(first + best);
    });
}

// Adds gradients [begin, end) to their winners among values [low, high); false as soon as a winner lies elsewhere.
bool reward(const float* gradient, const uint32_t* winners, size_t begin, size_t end, float* input, size_t low, size_t high) {
    for (size_t i = begin; i < end; ++i) {
        const size_t winner = winners[i];
        if (winner < low || winner >= high) return false;
        input[winner] += gradient[i];   // f32: the sum in double, rounded, would be the same
    }
    return true;
}

}  // namespace

void averagePool(const PoolShape& shape, const float* input, float* output, const Runtime& runtime) {
    shape.check();
    eachPlane(shape, runtime, [&](size_t plane) {
        averagePlane(shape, *runtime.kernels.loops, input + plane * shape.plane(), output + plane * shape.results());
    });
}

void averagePoolBackward(const PoolShape& shape, const float* outputGradient, float* inputGradient, const Runtime& runtime) {
    shape.check();
    eachPlane(shape, runtime, [&](size_t plane) {
        spreadPlane(shape, *runtime.kernels.loops, outputGradient + plane * shape.results(),
                    inputGradient + plane * shape.plane());
    });
}

void maxPool(const PoolShape& shape, const float* input, float* output, uint32_t* winners, const Runtime& runtime) {
    shape.check();
    eachPlane(shape, runtime, [&](size_t plane) {
        const size_t first = plane * shape.plane(), to = plane * shape.results();
        largestOfPlane(shape, *runtime.kernels.loops, input + first, first, output + to, winners + to);
    });
}

void maxPoolBackward(const PoolShape& shape, const float* outputGradient, const uint32_t* winners, float* inputGradient,
                     const Runtime& runtime) {
    shape.check();
    std::atomic<bool> atHome{true};   // every winner so far lies in its own plane, as those of maxPool do
    eachPlane(shape, runtime, [&](size_t plane) {
        const size_t first = plane * shape.plane(), last = first + shape.plane();
        std::fill(inputGradient + first, inputGradient + last, 0.0f);
        const size_t begin = plane * shape.results();
        if (!reward(outputGradient, winners, begin, begin + shape.results(), inputGradient, first, last))
            atHome.store(false, std::memory_order_relaxed);
    });
    if (atHome.load(std::memory_order_relaxed)) return;
    // planes would write into each other: once more, in order, on this thread
    std::fill(inputGradient, inputGradient + shape.inputSize(), 0.0f);
    if (!reward(outputGradient, winners, 0, shape.outputSize(), inputGradient, 0, shape.inputSize()))
        throw InvalidArgumentError("winners: expected indices below " + std::to_string(shape.inputSize()) +
                                   ", as maxPool gives them");
}

}  // namespace heml::f32
