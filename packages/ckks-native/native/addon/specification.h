// The parameters as JavaScript gives them (src/spec.ts).
#pragma once

#include <cmath>

#include "scheme/context.h"
#include "arguments.h"

namespace heml::addon {

inline std::vector<uint64_t> primesOf(const Napi::Value& value) {
    if (!value.IsArray()) throw toJavaScript(value.Env(), "InvalidArgument", "primes: expected an array of numbers");
    const auto array = value.As<Napi::Array>();
    std::vector<uint64_t> primes;
    for (uint32_t i = 0; i < array.Length(); ++i) {
        const double prime = array.Get(i).ToNumber().DoubleValue();
        if (!(prime > 2 && prime < 281474976710656.0 && prime == std::floor(prime)))
            throw toJavaScript(value.Env(), "InvalidArgument", "primes: expected integers below 2^48");
        primes.push_back(static_cast<uint64_t>(prime));
    }
    return primes;
}

inline ParametersSpec specOf(const Napi::Object& object) {
    ParametersSpec spec;
    spec.logN = object.Get("logN").ToNumber().Uint32Value();
    const auto levels = object.Get("levels").As<Napi::Array>();
    for (uint32_t i = 0; i < levels.Length(); ++i) spec.levels.push_back(primesOf(levels.Get(i)));
    spec.special = primesOf(object.Get("special"));
    spec.digitLimbs = object.Get("digitLimbs").ToNumber().Uint32Value();
    return spec;
}

inline size_t ephemeralSpecialsOf(const Napi::Object& spec, const Context& context) {
    const uint32_t count = spec.Get("ephemeralSpecials").ToNumber().Uint32Value();
    if (count == 0 || count > context.specialLimbs())
        badArgument(spec.Env(), "ephemeralSpecials", "1 to the number of special primes");
    return count;
}

}  // namespace heml::addon
