// Module entry: the class of f32 kernels.
#include <napi.h>

#include "float-object.h"

namespace heml::addon {

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
    exports.Set("FloatKernels", FloatObject::define(env));
    return exports;
}

}  // namespace

NODE_API_MODULE(he_ml_float, initialize)

}  // namespace heml::addon
