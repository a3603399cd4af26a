// Typed arrays that work may use where they lie: of the right type and length, referenced until the work is done.
#pragma once

#include <napi.h>

#include <vector>

#include "node/arguments.h"

namespace heml::addon {

// Made and destroyed on the main thread only; the work gets plain pointers.
class Pins {
public:
    // The data of argument i, which must hold exactly `count` values.
    float* add(const Napi::CallbackInfo& info, size_t i, const char* name, size_t count) {
        return pin(info, name, typedArrayOf<Napi::Float32Array>(info, i, name, napi_float32_array, "a Float32Array"), count);
    }
    // The same for an argument that may be undefined: null then.
    float* addOptional(const Napi::CallbackInfo& info, size_t i, const char* name, size_t count) {
        return info[i].IsUndefined() ? nullptr : add(info, i, name, count);
    }
    double* addDoubles(const Napi::CallbackInfo& info, size_t i, const char* name, size_t count) {
        return pin(info, name, doublesOf(info, i, name), count);
    }
    uint32_t* addWords(const Napi::CallbackInfo& info, size_t i, const char* name, size_t count) {
        return pin(info, name, wordsOf(info, i, name), count);
    }

private:
    template <typename T>
    T* pin(const Napi::CallbackInfo& info, const char* name, Napi::TypedArrayOf<T> array, size_t count) {
        if (array.ElementLength() != count)
            badArgument(info.Env(), name,
                        (std::to_string(count) + " values, got " + std::to_string(array.ElementLength())).c_str());
        references_.push_back(Napi::Persistent(array.template As<Napi::Object>()));
        return array.Data();
    }

    std::vector<Napi::ObjectReference> references_;
};

}  // namespace heml::addon
