// Loops of neurons (see loops.h), written so that the compiler turns each into vectors of whatever width it is given. Where a
// plain expression would become a branch (gcc 12), it is written in a form that does not, with the same value.
// Included once per instruction set; internal linkage, and nothing of the standard library.

namespace heml::f32 {

namespace {

// fn(i) for all i; iterations are independent even where an output is an input.
template <class Fn>
inline __attribute__((always_inline)) void each(size_t count, Fn fn) {
#pragma GCC ivdep
    for (size_t i = 0; i < count; ++i) fn(i);
}

void apply(Operation operation, const float* a, const float* b, float constant, float* out, size_t count) {
    switch (operation) {
        case Operation::Add:
            return each(count, [=](size_t i) { out[i] = a[i] + b[i]; });
        case Operation::Sub:
            return each(count, [=](size_t i) { out[i] = a[i] - b[i]; });
        case Operation::Mul:
            return each(count, [=](size_t i) { out[i] = a[i] * b[i]; });
        case Operation::Square:
            return each(count, [=](size_t i) { out[i] = a[i] * a[i]; });
        case Operation::Scale:
            return each(count, [=](size_t i) { out[i] = a[i] * constant; });
        case Operation::AddConstant:
            return each(count, [=](size_t i) { out[i] = a[i] + constant; });
    }
}

void addProduct(const float* base, const float* a, const float* b, float* out, size_t count) {
    each(count, [=](size_t i) {
        out[i] = static_cast<float>(static_cast<double>(base[i]) + static_cast<double>(a[i]) * static_cast<double>(b[i]));
    });
}

void addMultiple(const float* base, const float* a, float factor, float* out, size_t count) {
    // a sum of two f32 rounded to double and then to f32 is the f32 sum: 53 >= 2 * 24 + 2
    if (factor == 1) return each(count, [=](size_t i) { out[i] = base[i] + a[i]; });
    if (factor == -1) return each(count, [=](size_t i) { out[i] = base[i] - a[i]; });
    const double wide = factor;
    each(count, [=](size_t i) { out[i] = static_cast<float>(static_cast<double>(base[i]) + wide * static_cast<double>(a[i])); });
}

void spikes(const float* v, float level, float* out, size_t count) {
    each(count, [=](size_t i) { out[i] = v[i] >= level ? 1.0f : 0.0f; });
}

void slopes(const Surrogate& surrogate, double threshold, const float* v, float* out, size_t count) {
    const double width = surrogate.width, height = surrogate.height;
    switch (surrogate.kind) {
        case SurrogateKind::Rectangle: {
            const float inside = static_cast<float>(height);
            return each(count, [=](size_t i) {
                const double z = static_cast<double>(v[i]) - threshold;
                out[i] = __builtin_fabs(z) <= width ? inside : 0.0f;
            });
        }
        case SurrogateKind::FastSigmoid:
            return each(count, [=](size_t i) {
                const double q = 1.0 + __builtin_fabs(static_cast<double>(v[i]) - threshold) / width;
                out[i] = static_cast<float>(height / (q * q));
            });
        case SurrogateKind::Arctangent:
            return each(count, [=](size_t i) {
                const double r = (static_cast<double>(v[i]) - threshold) / width;
                out[i] = static_cast<float>(height / (1.0 + r * r));
            });
    }
}

void toGrid(const Grid& grid, const float* v, float* out, size_t count) {
    const double step = grid.step, low = grid.lowest(), high = grid.highest();
    constexpr double HALF = 0.5 + 0x1p-10;  // what is rounded on the way is still a half
    constexpr double INTEGERS = 0x1.8p52;   // added and taken away, it rounds to the nearest integer
    constexpr auto ONE = __builtin_bit_cast(uint64_t, 1.0);
    each(count, [=](size_t i) {
        // the ends are integers, so clipping may come before the floor, which then has a small argument; NaN stays
        const double index = static_cast<double>(v[i]) / step + HALF;
        const double raised = index < low ? low : index;
        const double clipped = raised > high ? high : raised;
        const double nearest = (clipped + INTEGERS) - INTEGERS;
        const uint64_t tooHigh = -static_cast<uint64_t>(nearest > clipped);
        out[i] = static_cast<float>((nearest - __builtin_bit_cast(double, tooHigh& ONE)) * step);
    });
}

void stopOutside(const Grid& grid, double pull, const float* v, float* gradient, size_t count) {
    // half a step beyond the ends still rounds to them
    const double low = grid.lowest() * grid.step - grid.step / 2, high = grid.highest() * grid.step + grid.step / 2;
    // not only faster: infinity times 0 would be NaN
    if (pull == 0)
        return each(count, [=](size_t i) {
            const double x = v[i];
            const float g = gradient[i];
            gradient[i] = (x >= low) & (x < high) ? g : 0.0f;
        });
    each(count, [=](size_t i) {
        const double x = v[i];
        const double border = x < low ? low : high;
        const float g = gradient[i], back = static_cast<float>(pull * (x - border));
        gradient[i] = (x >= low) & (x < high) ? g : back;
    });
}

void joinGradients(const float* total, const float* through, const float* direct, const float* slope, float* out, size_t count) {
    each(count, [=](size_t i) {
        const double spike = static_cast<double>(through[i]) + static_cast<double>(direct[i]);
        out[i] = static_cast<float>(static_cast<double>(total[i]) + spike * static_cast<double>(slope[i]));
    });
}

}  // namespace

}  // namespace heml::f32
