#pragma once

#include "addon/arguments.h"
#include "runtime/memory-pool.h"

namespace heml::addon {

// A client's values, real and, unless undefined, imaginary ones of the same length: wiped when freed, locked where the system allows.
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

}  // namespace heml::addon
