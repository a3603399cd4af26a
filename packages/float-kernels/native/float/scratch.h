// Floats from the memory pool, and how rows are cut into tiles.
#pragma once

#include <algorithm>
#include <cstddef>

#include "runtime/errors.h"
#include "runtime/memory-pool.h"

namespace heml::f32 {

class Scratch {
public:
    // Uninitialised, 64-byte aligned.
    Scratch(MemoryPool& pool, size_t floats) : buffer_(pool.allocate(floats * sizeof(float), MemoryKind::Scratch)) {}
    float* data() { return reinterpret_cast<float*>(buffer_.data()); }

private:
    Buffer buffer_;
};

// `total` rows in as few blocks of at most `most` as possible, of sizes that differ by one at most.
class Blocks {
public:
    Blocks(size_t total, size_t most) : total_(total), count_((total + most - 1) / most) {}
    size_t count() const { return count_; }
    size_t begin(size_t i) const { return i * total_ / count_; }
    size_t size(size_t i) const { return begin(i + 1) - begin(i); }

private:
    size_t total_, count_;
};

// `total` columns in strips of `width`; the last may be narrower.
class Strips {
public:
    Strips(size_t total, size_t width) : total_(total), width_(width) {}
    size_t count() const { return (total_ + width_ - 1) / width_; }
    size_t begin(size_t i) const { return i * width_; }
    size_t size(size_t i) const { return std::min(width_, total_ - i * width_); }

private:
    size_t total_, width_;
};

inline size_t roundUp(size_t n, size_t to) { return (n + to - 1) / to * to; }

// a * b, refusing what no array can hold.
inline size_t checkedProduct(size_t a, size_t b) {
    constexpr size_t MOST = size_t{1} << 40;
    if (b != 0 && a > MOST / b) throw InvalidArgumentError("shape: more than 2^40 elements");
    return a * b;
}

}  // namespace heml::f32
