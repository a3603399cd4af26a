// Portable: vectors of four as the compiler offers them everywhere, no fused multiply-add.
#include <cstddef>
#include <cstring>

namespace heml::f32 {

namespace {

struct Vec {
    using T = float __attribute__((vector_size(16)));
    static constexpr size_t WIDTH = 4, ROWS = 6, DOT_ROWS = 2, DOT_TERMS = 1;

    static T zero() { return T{}; }
    static T broadcast(float x) { return T{x, x, x, x}; }
    static T load(const float* from) {
        T x;
        std::memcpy(&x, from, sizeof x);
        return x;
    }
    static void store(float* to, T x) { std::memcpy(to, &x, sizeof x); }
    static T loadPart(const float* from, size_t count) {
        T x{};
        std::memcpy(&x, from, count * sizeof(float));
        return x;
    }
    static void storePart(float* to, size_t count, T x) { std::memcpy(to, &x, count * sizeof(float)); }
    static T add(T a, T b) { return a + b; }
    static T multiply(T a, T b) { return a * b; }
    static float fold(T x) { return (x[0] + x[2]) + (x[1] + x[3]); }
    static T multiplyAdd(T a, T b, T c) { return a * b + c; }
};

}  // namespace

}  // namespace heml::f32

#include "body.h"

namespace heml::f32 {

const Kernels& scalarKernels() {
    static const Kernels table = tableOf("scalar", scalarLoops());
    return table;
}

}  // namespace heml::f32
