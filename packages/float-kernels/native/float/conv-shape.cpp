#include <string>

#include "conv.h"
#include "scratch.h"

namespace heml::f32 {

void ConvShape::check() const {
    constexpr size_t MOST = size_t{1} << 31;   // of any one number, so that sums and padded sizes cannot overflow
    const size_t positive[] = {batch, inChannels, height, width, outChannels, kernel[0], kernel[1], stride[0], stride[1], groups};
    for (const size_t value : positive) {
        if (value == 0 || value > MOST)
            throw InvalidArgumentError("convolution: expected sizes, kernel, stride and groups from 1 to 2^31, got " +
                                       std::to_string(value));
    }
    if (padding[0] > MOST || padding[1] > MOST) throw InvalidArgumentError("convolution: expected padding up to 2^31");
    if (inChannels % groups != 0 || outChannels % groups != 0)
        throw InvalidArgumentError("convolution: expected groups that divide both channel counts, got " + std::to_string(groups));
    if (kernel[0] > height + 2 * padding[0] || kernel[1] > width + 2 * padding[1])
        throw InvalidArgumentError("convolution: expected a kernel no larger than the padded image");
    inputSize(), outputSize(), weightSize();
}

size_t ConvShape::inputSize() const { return checkedProduct(checkedProduct(batch, inChannels), checkedProduct(height, width)); }

size_t ConvShape::outputSize() const {
    return checkedProduct(checkedProduct(batch, outChannels), checkedProduct(outHeight(), outWidth()));
}

size_t ConvShape::weightSize() const {
    return checkedProduct(checkedProduct(outChannels, groupIn()), checkedProduct(kernel[0], kernel[1]));
}

}  // namespace heml::f32
