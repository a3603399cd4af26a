// Entry of the client's module: keys, encryption, decryption. The engine's module has nothing of this in it.
#include <napi.h>

#include "client-object.h"

namespace heml::addon {

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
    exports.Set("Client", ClientObject::define(env));
    return exports;
}

}  // namespace

NODE_API_MODULE(he_ml_client, initialize)

}  // namespace heml::addon
