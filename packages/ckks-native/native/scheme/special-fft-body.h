// Bodies of EncodeKernels, included by one file per instruction set after its target pragma: plain loops for the
// compiler to vectorise, the same operations in the same order everywhere. Includes nothing that defines functions.

namespace heml {
namespace {

constexpr size_t IN_CACHE = 1024;           // slots: 16 KB, a subtree that stays in the first-level cache
constexpr double ROUNDER = 0x1.8p52;        // adding and subtracting it rounds |x| < 2^51 to the nearest integer

struct Arrays {
    double* re;
    double* im;
};

// One depth of one node, forward: (a, b) -> (a + w b, a - w b).
inline void split2(Arrays a, size_t half, double wr, double wi) {
    double* __restrict ar = a.re;
    double* __restrict ai = a.im;
    double* __restrict br = a.re + half;
    double* __restrict bi = a.im + half;
    for (size_t t = 0; t < half; ++t) {
        const double xr = br[t] * wr - bi[t] * wi;
        const double xi = br[t] * wi + bi[t] * wr;
        br[t] = ar[t] - xr;
        bi[t] = ai[t] - xi;
        ar[t] = ar[t] + xr;
        ai[t] = ai[t] + xi;
    }
}

// Inverse without the halving: (a, b) -> (a + b, (a - b) conj(w)).
inline void merge2(Arrays a, size_t half, double wr, double wi) {
    double* __restrict ar = a.re;
    double* __restrict ai = a.im;
    double* __restrict br = a.re + half;
    double* __restrict bi = a.im + half;
    for (size_t t = 0; t < half; ++t) {
        const double dr = ar[t] - br[t];
        const double di = ai[t] - bi[t];
        ar[t] = ar[t] + br[t];
        ai[t] = ai[t] + bi[t];
        br[t] = dr * wr + di * wi;
        bi[t] = di * wr - dr * wi;
    }
}

// Eight blocks of eight, transposed: element e of block b at [e][b]. Roots of the three depths differ by block.
struct Tile {
    double re[8][8], im[8][8];
};

inline void loadTile(Tile& tile, const double* re, const double* im) {
    for (size_t b = 0; b < 8; ++b) {
        for (size_t e = 0; e < 8; ++e) {
            tile.re[e][b] = re[8 * b + e];
            tile.im[e][b] = im[8 * b + e];
        }
    }
}

inline void storeTile(const Tile& tile, double* re, double* im) {
    for (size_t b = 0; b < 8; ++b) {
        for (size_t e = 0; e < 8; ++e) {
            re[8 * b + e] = tile.re[e][b];
            im[8 * b + e] = tile.im[e][b];
        }
    }
}

// `roots` points at the root of the first block's node; `stride` nodes per block at this depth.
inline void tileSplit(Tile& tile, size_t e, size_t f, const double* rootRe, const double* rootIm, size_t stride) {
    for (size_t b = 0; b < 8; ++b) {
        const double wr = rootRe[b * stride], wi = rootIm[b * stride];
        const double xr = tile.re[f][b] * wr - tile.im[f][b] * wi;
        const double xi = tile.re[f][b] * wi + tile.im[f][b] * wr;
        tile.re[f][b] = tile.re[e][b] - xr;
        tile.im[f][b] = tile.im[e][b] - xi;
        tile.re[e][b] = tile.re[e][b] + xr;
        tile.im[e][b] = tile.im[e][b] + xi;
    }
}

inline void tileMerge(Tile& tile, size_t e, size_t f, const double* rootRe, const double* rootIm, size_t stride) {
    for (size_t b = 0; b < 8; ++b) {
        const double wr = rootRe[b * stride], wi = rootIm[b * stride];
        const double dr = tile.re[e][b] - tile.re[f][b];
        const double di = tile.im[e][b] - tile.im[f][b];
        tile.re[e][b] = tile.re[e][b] + tile.re[f][b];
        tile.im[e][b] = tile.im[e][b] + tile.im[f][b];
        tile.re[f][b] = dr * wr + di * wi;
        tile.im[f][b] = di * wr - dr * wi;
    }
}

// The last three depths of 64 slots; `node` is the index (2^d + j) of the first block of eight.
inline void tileForward(double* re, double* im, size_t node, const double* rr, const double* ri) {
    Tile tile;
    loadTile(tile, re, im);
    for (size_t e = 0; e < 4; ++e) tileSplit(tile, e, e + 4, rr + node, ri + node, 1);
    for (size_t g = 0; g < 2; ++g) {
        for (size_t e = 0; e < 2; ++e) tileSplit(tile, 4 * g + e, 4 * g + e + 2, rr + 2 * node + g, ri + 2 * node + g, 2);
    }
    for (size_t g = 0; g < 4; ++g) tileSplit(tile, 2 * g, 2 * g + 1, rr + 4 * node + g, ri + 4 * node + g, 4);
    storeTile(tile, re, im);
}

inline void tileInverse(double* re, double* im, size_t node, const double* rr, const double* ri) {
    Tile tile;
    loadTile(tile, re, im);
    for (size_t g = 0; g < 4; ++g) tileMerge(tile, 2 * g, 2 * g + 1, rr + 4 * node + g, ri + 4 * node + g, 4);
    for (size_t g = 0; g < 2; ++g) {
        for (size_t e = 0; e < 2; ++e) tileMerge(tile, 4 * g + e, 4 * g + e + 2, rr + 2 * node + g, ri + 2 * node + g, 2);
    }
    for (size_t e = 0; e < 4; ++e) tileMerge(tile, e, e + 4, rr + node, ri + node, 1);
    storeTile(tile, re, im);
}

// All depths below the node (index 2^d + j) that covers `size` slots.
void subtreeForward(double* re, double* im, size_t size, size_t node, const double* rr, const double* ri) {
    if (size > IN_CACHE) {
        split2({re, im}, size / 2, rr[node], ri[node]);
        subtreeForward(re, im, size / 2, 2 * node, rr, ri);
        subtreeForward(re + size / 2, im + size / 2, size / 2, 2 * node + 1, rr, ri);
        return;
    }
    size_t block = size, first = node;
    for (; block > (size >= 64 ? 8 : 1); block /= 2, first *= 2) {
        for (size_t j = 0; j < size / block; ++j)
            split2({re + j * block, im + j * block}, block / 2, rr[first + j], ri[first + j]);
    }
    if (size < 64) return;
    for (size_t at = 0; at < size; at += 64) tileForward(re + at, im + at, first + at / 8, rr, ri);
}

void subtreeInverse(double* re, double* im, size_t size, size_t node, const double* rr, const double* ri) {
    if (size > IN_CACHE) {
        subtreeInverse(re, im, size / 2, 2 * node, rr, ri);
        subtreeInverse(re + size / 2, im + size / 2, size / 2, 2 * node + 1, rr, ri);
        merge2({re, im}, size / 2, rr[node], ri[node]);
        return;
    }
    size_t block = 2, first = node * (size / 2);
    if (size >= 64) {
        block = 16;
        first = node * (size / 16);
        for (size_t at = 0; at < size; at += 64) tileInverse(re + at, im + at, 2 * first + at / 8, rr, ri);
    }
    for (; block <= size; block *= 2, first /= 2) {
        for (size_t j = 0; j < size / block; ++j)
            merge2({re + j * block, im + j * block}, block / 2, rr[first + j], ri[first + j]);
    }
}

void forwardTransform(double* re, double* im, size_t n, const double* rr, const double* ri) {
    subtreeForward(re, im, n, 1, rr, ri);
}

void inverseTransform(double* re, double* im, size_t n, const double* rr, const double* ri) {
    subtreeInverse(re, im, n, 1, rr, ri);
}

double scaleValues(double* values, size_t n, double factor) {
    double largest[8] = {};
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (size_t j = 0; j < 8; ++j) {
            const double v = values[i + j] * factor;
            const double magnitude = v < 0 ? -v : v;
            values[i + j] = v;
            largest[j] = magnitude > largest[j] ? magnitude : largest[j];
        }
    }
    for (; i < n; ++i) {
        values[i] *= factor;
        const double magnitude = values[i] < 0 ? -values[i] : values[i];
        largest[0] = magnitude > largest[0] ? magnitude : largest[0];
    }
    double most = 0;
    for (size_t j = 0; j < 8; ++j) most = largest[j] > most ? largest[j] : most;
    return most;
}

void roundValues(double* values, size_t n) {
    for (size_t i = 0; i < n; ++i) values[i] = (values[i] + ROUNDER) - ROUNDER;
}

void splitValues(double* __restrict high, double* __restrict values, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        const double top = (values[i] * 0x1p-48 + ROUNDER) - ROUNDER;
        const double rest = values[i] - top * 0x1p48;
        high[i] = top;
        values[i] = (rest + ROUNDER) - ROUNDER;
    }
}

// r = v - round(v / p) p is exact: every term is an integer below 2^53. A non-negative integer below 2^52 lies in the
// low bits of its sum with 2^52.
void reduceValues(uint64_t* __restrict out, const double* __restrict values, size_t n, uint64_t modulus, double largest) {
    const double p = static_cast<double>(modulus);
    const double inverse = 1 / p;
    constexpr uint64_t LOW = (uint64_t{1} << 52) - 1;
    if (largest < p) {
        for (size_t i = 0; i < n; ++i) {
            const double r = values[i] + (values[i] < 0 ? p : 0.0);
            out[i] = __builtin_bit_cast(uint64_t, r + 0x1p52) & LOW;
        }
        return;
    }
    for (size_t i = 0; i < n; ++i) {
        const double quotient = (values[i] * inverse + ROUNDER) - ROUNDER;
        double r = values[i] - quotient * p;
        r = r + (r < 0 ? p : 0.0);
        r = r - (r >= p ? p : 0.0);
        out[i] = __builtin_bit_cast(uint64_t, r + 0x1p52) & LOW;
    }
}

}  // namespace
}  // namespace heml

#define HEML_ENCODE_KERNELS \
    {heml::forwardTransform, heml::inverseTransform, heml::scaleValues, heml::roundValues, heml::splitValues, heml::reduceValues}
