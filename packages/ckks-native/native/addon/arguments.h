// Slot values as arguments: copied, since the work runs later; a client's are wiped when freed.
#pragma once

#include <cstring>
#include <vector>

#include "node/arguments.h"
#include "runtime/memory-pool.h"

namespace heml::addon {

// Real values and, unless undefined, imaginary ones of the same length; copied, since the work runs later.
struct SlotVector {
    std::vector<double> re, im;
    const double* imaginary() const { return im.empty() ? nullptr : im.data(); }
};

// The same for a client's values: wiped when freed, locked where the system allows.
struct SecretSlots {
    Buffer re, im;
    size_t count = 0;
    const double* real() const { return reinterpret_cast<const double*>(re.data()); }
    const double* imaginary() const { return im ? reinterpret_cast<const double*>(im.data()) : nullptr; }
};

inline Buffer secretCopyOf(MemoryPool& pool, const void* data, size_t bytes) {
    Buffer out = pool.allocate(bytes, MemoryKind::Scratch, true);
    if (bytes != 0) std::memcpy(out.data(), data, bytes);
    return out;
}

inline SecretSlots secretSlotsOf(const Napi::CallbackInfo& info, size_t i, MemoryPool& pool) {
    SecretSlots out;
    const auto re = doublesOf(info, i, "re");
    out.count = re.ElementLength();
    out.re = secretCopyOf(pool, re.Data(), re.ByteLength());
    if (!info[i + 1].IsUndefined()) {
        const auto im = doublesOf(info, i + 1, "im");
        if (im.ElementLength() != out.count) badArgument(info.Env(), "im", "as many values as re");
        out.im = secretCopyOf(pool, im.Data(), im.ByteLength());
    }
    return out;
}

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
