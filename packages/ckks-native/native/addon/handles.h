// What JavaScript holds: externals around something shared. Work in the queue shares what it reads, so disposing a handle early is
// safe; the memory goes when the last of them is done.
#pragma once

#include <napi.h>

#include <memory>

#include "node/errors.h"

namespace heml::addon {

enum class HandleKind : uint32_t {
    Ciphertext = 0x48454301,
    Plaintext = 0x48455002,
    SecretKey = 0x48455303,
    PublicKey = 0x48454b04
};

template <typename Value>
struct Handle {
    HandleKind kind;
    std::shared_ptr<Value> slot;
};

template <typename Value>
Napi::Value wrapHandle(Napi::Env env, HandleKind kind, std::shared_ptr<Value> slot) {
    auto* handle = new Handle<Value>{kind, std::move(slot)};
    return Napi::External<Handle<Value>>::New(env, handle, [](Napi::Env, Handle<Value>* h) { delete h; });
}

// The handle itself, checked. Throws a JavaScript error for anything else.
template <typename Value>
Handle<Value>* handleOf(const Napi::Value& value, HandleKind kind, const char* what) {
    if (value.IsExternal()) {
        auto* handle = value.As<Napi::External<Handle<Value>>>().Data();
        if (handle->kind == kind) return handle;
    }
    throw toJavaScript(value.Env(), "InvalidArgument", std::string("expected a ") + what + " handle");
}

// Its slot; a released handle is an error.
template <typename Value>
const std::shared_ptr<Value>& slotOf(const Napi::Value& value, HandleKind kind, const char* what) {
    auto* handle = handleOf<Value>(value, kind, what);
    if (!handle->slot) throw toJavaScript(value.Env(), "Disposed", std::string("the ") + what + " was disposed of before");
    return handle->slot;
}

}  // namespace heml::addon
