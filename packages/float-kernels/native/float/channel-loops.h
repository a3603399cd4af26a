// Loops over the positions of one image and channel, and over the channels of one position (see loops.h). Sums keep eight running sums in double, whatever the
// width of the machine's vectors, and fold them in halves.
// Included once per instruction set; internal linkage, and nothing of the standard library.

namespace heml::f32 {

namespace {

using Doubles = double __attribute__((vector_size(SUM_LANES * sizeof(double))));
using Floats = float __attribute__((vector_size(SUM_LANES * sizeof(float))));

inline __attribute__((always_inline)) void widen(const float* from, Doubles& to) {
    Floats x;
    __builtin_memcpy(&x, from, sizeof x);
    to = __builtin_convertvector(x, Doubles);
}

// Running sums of SUM_LANES positions at a time: terms(p, out) gives those of p, p + 1, ..., one(p) that of p alone.
template <class Terms, class One>
inline __attribute__((always_inline)) double laneSum(size_t count, Terms terms, One one) {
    Doubles sums{};
    size_t p = 0;
    for (; p + SUM_LANES <= count; p += SUM_LANES) {
        Doubles next;
        terms(p, next);
        sums += next;
    }
    double lanes[SUM_LANES];
    __builtin_memcpy(lanes, &sums, sizeof lanes);
    for (size_t lane = 0; p < count; ++p, ++lane) lanes[lane] += one(p);
    for (size_t half = SUM_LANES / 2; half != 0; half /= 2) {
        for (size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
    }
    return lanes[0];
}

double sum(const float* x, size_t count) {
    return laneSum(
        count, [=](size_t p, Doubles& out) { widen(x + p, out); }, [=](size_t p) { return static_cast<double>(x[p]); });
}

double squares(const float* x, double mean, size_t count) {
    return laneSum(
        count,
        [=](size_t p, Doubles& out) {
            widen(x + p, out);
            out -= mean;
            out *= out;
        },
        [=](size_t p) {
            const double d = static_cast<double>(x[p]) - mean;
            return d * d;
        });
}

void sums(const float* gradient, const float* x, size_t count, double* plain, double* weighted) {
    *plain = sum(gradient, count);
    *weighted = laneSum(
        count,
        [=](size_t p, Doubles& out) {
            Doubles other;
            widen(gradient + p, out);
            widen(x + p, other);
            out *= other;
        },
        [=](size_t p) { return static_cast<double>(gradient[p]) * static_cast<double>(x[p]); });
}

void scale(const float* x, float scale, float shift, float* out, size_t count) {
    const double factor = scale, summand = shift;
    each(count, [=](size_t i) { out[i] = static_cast<float>(factor * static_cast<double>(x[i]) + summand); });
}

void normalize(const float* gradient, const float* x, const ChannelGradient& channel, float* out, size_t count) {
    const double factor = channel.factor, average = channel.average, centre = channel.centre, slope = channel.slope;
    each(count, [=](size_t i) {
        const double g = gradient[i], value = x[i];
        out[i] = static_cast<float>(factor * (g - average - (value - centre) * slope));
    });
}

void addColumns(const float* x, double* sums, size_t count) {
    each(count, [=](size_t c) { sums[c] += static_cast<double>(x[c]); });
}

void addSquareColumns(const float* x, const double* mean, double* sums, size_t count) {
    each(count, [=](size_t c) {
        const double d = static_cast<double>(x[c]) - mean[c];
        sums[c] += d * d;
    });
}

void addProductColumns(const float* gradient, const float* x, double* sums, size_t count) {
    each(count, [=](size_t c) { sums[c] += static_cast<double>(gradient[c]) * static_cast<double>(x[c]); });
}

void scaleColumns(const float* x, const float* scale, const float* shift, float* out, size_t count) {
    each(count, [=](size_t c) {
        out[c] = static_cast<float>(static_cast<double>(scale[c]) * static_cast<double>(x[c]) + static_cast<double>(shift[c]));
    });
}

void normalizeColumns(const float* gradient, const float* x, const ChannelGradients& channels, float* out, size_t count) {
    const double *factor = channels.factor, *average = channels.average, *centre = channels.centre, *slope = channels.slope;
    each(count, [=](size_t c) {
        const double g = gradient[c], value = x[c];
        out[c] = static_cast<float>(factor[c] * (g - average[c] - (value - centre[c]) * slope[c]));
    });
}

}  // namespace

}  // namespace heml::f32
