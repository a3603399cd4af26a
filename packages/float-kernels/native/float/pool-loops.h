// Loops over a row of 2 x 2 windows with stride 2, what networks pool by (see loops.h); other windows need no vectors.
// Included once per instruction set; internal linkage, and nothing of the standard library.

namespace heml::f32 {

namespace {

void averagePairs(const float* above, const float* below, float* out, size_t count) {
    each(count, [=](size_t i) {
        // sums start at 0: the mean of -0 is 0
        const double top = 0.0 + static_cast<double>(above[2 * i]) + static_cast<double>(above[2 * i + 1]);
        out[i] = static_cast<float>((top + static_cast<double>(below[2 * i]) + static_cast<double>(below[2 * i + 1])) * 0.25);
    });
}

void spreadPairs(const float* gradient, float* above, float* below, size_t count) {
    each(count, [=](size_t i) {
        const float share = static_cast<float>(0.0 + static_cast<double>(gradient[i]) * 0.25);
        above[2 * i] = share;
        above[2 * i + 1] = share;
        below[2 * i] = share;
        below[2 * i + 1] = share;
    });
}

void maxPairs(const float* above, const float* below, uint32_t first, uint32_t width, float* out, uint32_t* winners,
              size_t count) {
    each(count, [=](size_t i) {
        // one comparison after the other, so that a NaN in the first place stays and others never win; indices are chosen by
        // masks, since branches on the same conditions would keep the compiler from vectors
        const float a = above[2 * i], b = above[2 * i + 1], c = below[2 * i], d = below[2 * i + 1];
        const uint32_t second = -static_cast<uint32_t>(b > a);
        const float ab = b > a ? b : a;
        const uint32_t third = -static_cast<uint32_t>(c > ab);
        const float abc = c > ab ? c : ab;
        const uint32_t fourth = -static_cast<uint32_t>(d > abc);
        out[i] = d > abc ? d : abc;
        const uint32_t best = (third & width) | (~third & second & 1);
        winners[i] = first + static_cast<uint32_t>(2 * i) + ((fourth & (width + 1)) | (~fourth & best));
    });
}

}  // namespace

}  // namespace heml::f32
