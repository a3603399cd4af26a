// The inner loops of neurons, normalisation and pooling, one table per instruction set. All are elementwise or keep the order
// that is written here, none fuses a product with a sum: scalar, avx2 and avx512 give the same bits.
//
// Arrays of neurons are f32. Where a loop says "in double", operands are widened, every operation rounds to double, and the
// result is rounded to f32 once. Unless said otherwise an output may be one of the inputs, but not overlap it in part.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heml::f32 {

// One operation of a recorded recurrence; the result is rounded to f32.
enum class Operation : uint32_t { Add, Sub, Mul, Square, Scale, AddConstant };
constexpr uint32_t OPERATIONS = 6;

// The points k * step for k = -count / 2 .. count / 2 - 1; count is even and at most 2^32.
struct Grid {
    double step, count;
    double lowest() const { return -count / 2; }
    double highest() const { return count / 2 - 1; }
};

// What stands for the derivative of the step at distance z from the threshold, in double, with r = |z| / width:
// height where r <= 1; height / (1 + r)^2; height / (1 + r^2).
enum class SurrogateKind : uint32_t { Rectangle, FastSigmoid, Arctangent };
constexpr uint32_t SURROGATES = 3;
struct Surrogate {
    SurrogateKind kind;
    double width, height;
};

constexpr size_t SUM_LANES = 8;  // running sums of a row in double: position p goes to lane p mod 8, lanes are folded in halves

// Numbers of one channel: factor * (gradient - average - (x - centre) * slope).
struct ChannelGradient {
    double factor, average, centre, slope;
};

// The same of all channels; [channels] each.
struct ChannelGradients {
    const double *factor, *average, *centre, *slope;
    ChannelGradients from(size_t c) const { return {factor + c, average + c, centre + c, slope + c}; }
};

struct Loops {
    // ---- neurons
    // out = a op b, or a op constant; b is not read where there is none
    void (*apply)(Operation operation, const float* a, const float* b, float constant, float* out, size_t count);
    // out = base + a * b in double
    void (*addProduct)(const float* base, const float* a, const float* b, float* out, size_t count);
    // out = base + a * factor in double
    void (*addMultiple)(const float* base, const float* a, float factor, float* out, size_t count);
    // 1 where v >= level, else 0 (NaN: 0)
    void (*spikes)(const float* v, float level, float* out, size_t count);
    // the surrogate at v - threshold
    void (*slopes)(const Surrogate& surrogate, double threshold, const float* v, float* out, size_t count);
    // the nearest point, halves upwards, clipped to the range, in double
    void (*toGrid)(const Grid& grid, const float* v, float* out, size_t count);
    // gradient = pull * (v - the border that v is beyond) in double where v is clipped; with a pull of 0, 0 whatever v is
    void (*stopOutside)(const Grid& grid, double pull, const float* v, float* gradient, size_t count);
    // out = total + (through + direct) * slope in double
    void (*joinGradients)(const float* total, const float* through, const float* direct, const float* slope, float* out,
                          size_t count);

    // ---- channels: one image and channel, a row of positions
    double (*sum)(const float* x, size_t count);
    // of (x - mean)^2
    double (*squares)(const float* x, double mean, size_t count);
    // of gradient, and of gradient * x
    void (*sums)(const float* gradient, const float* x, size_t count, double* plain, double* weighted);
    // out = scale * x + shift in double
    void (*scale)(const float* x, float scale, float shift, float* out, size_t count);
    // out = factor * (gradient - average - (x - centre) * slope) in double
    void (*normalize)(const float* gradient, const float* x, const ChannelGradient& channel, float* out, size_t count);

    // ---- columns: one image with one position, a row of channels; the same numbers as above for each
    void (*addColumns)(const float* x, double* sums, size_t count);
    void (*addSquareColumns)(const float* x, const double* mean, double* sums, size_t count);
    void (*addProductColumns)(const float* gradient, const float* x, double* sums, size_t count);
    void (*scaleColumns)(const float* x, const float* scale, const float* shift, float* out, size_t count);
    void (*normalizeColumns)(const float* gradient, const float* x, const ChannelGradients& channels, float* out, size_t count);

    // ---- windows of 2 x 2 that do not overlap: one row of `count` results; outputs are apart from inputs
    void (*averagePairs)(const float* above, const float* below, float* out, size_t count);
    // both rows get gradient / 4, 2 * count values each
    void (*spreadPairs)(const float* gradient, float* above, float* below, size_t count);
    // winners: `first` is the index of above[0], `width` that of below[0] minus it
    void (*maxPairs)(const float* above, const float* below, uint32_t first, uint32_t width, float* out, uint32_t* winners,
                     size_t count);
};

const Loops& scalarLoops();
const Loops& avx2Loops();  // only with HE_ML_FLOAT_AVX2
const Loops& avx512Loops();  // only with HE_ML_FLOAT_AVX512

}  // namespace heml::f32
