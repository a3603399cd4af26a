// The place an operation writes its result to, together with the node that says when it is there.
#pragma once

#include "addon/handles.h"
#include "scheme/ciphertext.h"
#include "scheme/plaintext.h"
#include "runtime/scheduler.h"

namespace heml::addon {

template <typename Value>
struct Slot {
    Value value;
    std::shared_ptr<Node> node;  // null: the value was there from the start
};

using CiphertextSlot = Slot<Ciphertext>;
using PlaintextSlot = Slot<Plaintext>;

inline const std::shared_ptr<CiphertextSlot>& ciphertextOf(const Napi::Value& value) {
    return slotOf<CiphertextSlot>(value, HandleKind::Ciphertext, "ciphertext");
}
inline const std::shared_ptr<PlaintextSlot>& plaintextOf(const Napi::Value& value) {
    return slotOf<PlaintextSlot>(value, HandleKind::Plaintext, "plaintext");
}

}  // namespace heml::addon
