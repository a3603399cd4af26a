// Reading JavaScript arguments: exact types and ranges, or an InvalidArgument error that names the argument.
#pragma once

#include <napi.h>

#include <cmath>
#include <limits>
#include <string>

#include "errors.h"

namespace heml::addon {

[[noreturn]] inline void badArgument(const Napi::Env& env, const char* name, const char* wanted) {
    throw toJavaScript(env, "InvalidArgument", std::string(name) + ": expected " + wanted);
}

inline double numberOf(const Napi::CallbackInfo& info, size_t i, const char* name) {
    if (!info[i].IsNumber()) badArgument(info.Env(), name, "a number");
    const double value = info[i].As<Napi::Number>().DoubleValue();
    if (!std::isfinite(value)) badArgument(info.Env(), name, "a finite number");
    return value;
}

inline uint32_t unsignedOf(const Napi::CallbackInfo& info, size_t i, const char* name) {
    const double value = numberOf(info, i, name);
    if (value < 0 || value > std::numeric_limits<uint32_t>::max() || value != std::floor(value))
        badArgument(info.Env(), name, "a non-negative integer");
    return static_cast<uint32_t>(value);
}

inline Napi::Array arrayOf(const Napi::CallbackInfo& info, size_t i, const char* name) {
    if (!info[i].IsArray()) badArgument(info.Env(), name, "an array");
    return info[i].As<Napi::Array>();
}

template <typename Typed>
Typed typedArrayOf(const Napi::CallbackInfo& info, size_t i, const char* name, napi_typedarray_type type, const char* wanted) {
    if (!info[i].IsTypedArray() || info[i].As<Napi::TypedArray>().TypedArrayType() != type) badArgument(info.Env(), name, wanted);
    return info[i].As<Typed>();
}

inline Napi::Float64Array doublesOf(const Napi::CallbackInfo& info, size_t i, const char* name) {
    return typedArrayOf<Napi::Float64Array>(info, i, name, napi_float64_array, "a Float64Array");
}
inline Napi::Uint32Array wordsOf(const Napi::CallbackInfo& info, size_t i, const char* name) {
    return typedArrayOf<Napi::Uint32Array>(info, i, name, napi_uint32_array, "a Uint32Array");
}
inline Napi::Uint8Array bytesOf(const Napi::CallbackInfo& info, size_t i, const char* name) {
    return typedArrayOf<Napi::Uint8Array>(info, i, name, napi_uint8_array, "a Uint8Array");
}

}  // namespace heml::addon
