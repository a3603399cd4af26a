// Slot values as arguments: copied, since the work runs later; a client's are wiped when freed.
#pragma once

#include <cstring>
#include <vector>

#include "node/arguments.h"

namespace heml::addon {

// Real values and, unless undefined, imaginary ones of the same length; copied, since the work runs later.
struct SlotVector {
    std::vector<double> re, im;
    const double* imaginary() const { return im.empty() ? nullptr : im.data(); }
};

inline SlotVector slotsOf(const Napi::CallbackInfo& info, size_t i) {
    SlotVector out;
    const auto re = doublesOf(info, i, "re");
    out.re.assign(re.Data(), re.Data() + re.ElementLength());
    if (!info[i + 1].IsUndefined()) {
        const auto im = doublesOf(info, i + 1, "im");
        if (im.ElementLength() != re.ElementLength()) badArgument(info.Env(), "im", "as many values as re");
        out.im.assign(im.Data(), im.Data() + im.ElementLength());
    }
    return out;
}

}  // namespace heml::addon
