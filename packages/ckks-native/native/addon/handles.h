// What JavaScript holds: externals around shared slots. A slot is the place an operation writes its result to, together
// with the node that says when it is there. Operations in the queue share the slots they read, so disposing a handle
// early is safe; the memory goes when the last of them is done.
#pragma once

#include <napi.h>

#include <memory>

#include "scheme/ciphertext.h"
#include "scheme/key-switch-key.h"
#include "scheme/plaintext.h"
#include "runtime/scheduler.h"
#include "node/errors.h"

namespace heml::addon {

template <typename Value>
struct Slot {
    Value value;
    std::shared_ptr<Node> node;  // null: the value was there from the start
};

using CiphertextSlot = Slot<Ciphertext>;
using PlaintextSlot = Slot<Plaintext>;

enum class HandleKind : uint32_t { Ciphertext = 0x48454301, Plaintext = 0x48455002, SecretKey = 0x48455303, PublicKey = 0x48454b04 };

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

inline const std::shared_ptr<CiphertextSlot>& ciphertextOf(const Napi::Value& value) {
    return slotOf<CiphertextSlot>(value, HandleKind::Ciphertext, "ciphertext");
}
inline const std::shared_ptr<PlaintextSlot>& plaintextOf(const Napi::Value& value) {
    return slotOf<PlaintextSlot>(value, HandleKind::Plaintext, "plaintext");
}

}  // namespace heml::addon
