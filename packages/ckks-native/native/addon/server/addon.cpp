// Module entry: the engine class and what the CPU offers.
#include <napi.h>

#include "engine-object.h"
#include "kernel/kernels.h"

namespace heml::addon {

namespace {

Napi::Value kernels(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
        auto out = Napi::Object::New(info.Env());
        try {
            out.Set("active", kernel::activeKernels().name);
        } catch (const std::runtime_error& error) {  // HE_ML_KERNEL names none
            throw toJavaScript(info.Env(), "InvalidArgument", error.what());
        }
        const auto supported = kernel::supportedKernels();
        auto names = Napi::Array::New(info.Env(), supported.count);
        uint32_t i = 0;
        for (const auto* kernel : supported) names.Set(i++, kernel->name);
        out.Set("supported", names);
        return out;
    });
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
    exports.Set("kernels", Napi::Function::New(env, kernels, "kernels"));
    exports.Set("Engine", EngineObject::define(env));
    return exports;
}

}  // namespace

NODE_API_MODULE(he_ml_native, initialize)

}  // namespace heml::addon
