// Ciphertexts and keys in and out, as raw segments (serialize.h); the container around them is TypeScript's.
#include "arguments.h"
#include "byte-buffer.h"
#include "engine-object.h"
#include "scheme/serialize.h"

namespace heml::addon {

namespace {

// Bytes that stay where they are: the array is referenced until the promise settles. Made and destroyed on the main thread
// only: the work gets the plain pointer, the promise's ticket owns the object.
class Pinned {
public:
    explicit Pinned(const Napi::Uint8Array& bytes)
        : reference_(Napi::Persistent(bytes.As<Napi::Object>())), data_(bytes.Data()), size_(bytes.ByteLength()) {}
    const uint8_t* data() const { return data_; }
    size_t size() const { return size_; }

private:
    Napi::ObjectReference reference_;
    const uint8_t* data_;
    size_t size_;
};

}  // namespace

Napi::Value EngineObject::exportCiphertext(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto slot = ciphertextOf(info[0]);
        auto bytes = std::make_shared<ByteBuffer>();
        return promise(
            env, {slot->node},
            [slot, bytes](Core& core) {
                const auto& ciphertext = slot->value;
                bytes->allocate(ciphertextBytes(*core.context, ciphertext.level(), ciphertext.degree(), false));
                heml::exportCiphertext(bytes->data(), bytes->size(), ciphertext, nullptr, *core.scheduler);
            },
            [bytes](Napi::Env e) { return bytes->release(e); });
    });
}

Napi::Value EngineObject::importCiphertext(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        CiphertextShape shape;
        shape.level = unsignedOf(info, 0, "level");
        shape.degree = unsignedOf(info, 1, "degree");
        shape.seeded = info[2].ToBoolean().Value();
        auto pinned = std::make_shared<Pinned>(bytesOf(info, 3, "segment"));
        auto slot = std::make_shared<CiphertextSlot>();
        return promise(
            env, {},
            [shape, pinned = pinned.get(), slot](Core& core) {
                slot->value = heml::importCiphertext(core.context, shape, pinned->data(), pinned->size(), *core.scheduler);
            },
            [pinned, slot](Napi::Env e) {
                return wrapHandle(e, HandleKind::Ciphertext, slot);
            });
    });
}

Napi::Value EngineObject::loadKey(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        KeyShape shape;
        shape.galoisElement = unsignedOf(info, 0, "element");
        shape.level = unsignedOf(info, 1, "level");
        shape.seeded = true;
        shape.packed = true;   // a quarter less memory, and faster: keys are read at the speed of memory
        auto pinned = std::make_shared<Pinned>(bytesOf(info, 2, "segment"));
        auto made = std::make_shared<std::shared_ptr<KeySwitchKey>>();
        return promise(
            env, {},
            [shape, pinned = pinned.get(), made](Core& core) {
                *made = std::make_shared<KeySwitchKey>(
                    importKeySwitchKey(core.context, shape, pinned->data(), pinned->size(), *core.scheduler));
            },
            [this, self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(Value())), pinned, made](Napi::Env e) {
                if (!core_) throw toJavaScript(e, "Disposed", "the engine was closed while the key was loading");
                auto& place = keys_[(*made)->galoisElement()];
                if (!place || place->level() < (*made)->level()) place = std::move(*made);
                return e.Undefined();
            });
    });
}

Napi::Value EngineObject::loadEncapsulationKey(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const uint32_t level = unsignedOf(info, 0, "level");
        auto toSparse = std::make_shared<Pinned>(bytesOf(info, 1, "switch to the ephemeral secret"));
        auto toDense = std::make_shared<Pinned>(bytesOf(info, 2, "switch from the ephemeral secret"));
        auto made = std::make_shared<std::shared_ptr<EncapsulationKey>>();
        return promise(
            env, {},
            [level, toSparse = toSparse.get(), toDense = toDense.get(), made](Core& core) {
                auto key = std::make_shared<EncapsulationKey>();
                key->toSparse = importKeySwitchKey(core.ephemeral(), {0, 1, true, true}, toSparse->data(), toSparse->size(), *core.scheduler);
                key->toDense = importKeySwitchKey(core.context, {level, 1, true, true}, toDense->data(), toDense->size(), *core.scheduler);
                *made = std::move(key);
            },
            [this, self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(Value())), toSparse, toDense, made](Napi::Env e) {
                if (!core_) throw toJavaScript(e, "Disposed", "the engine was closed while the key was loading");
                if (!encapsulationKey_ || encapsulationKey_->level() < (*made)->level()) encapsulationKey_ = std::move(*made);
                return e.Undefined();
            });
    });
}

Napi::Value EngineObject::encapsulationLevel(const Napi::CallbackInfo& info) {
    if (!encapsulationKey_) return info.Env().Undefined();
    return Napi::Number::New(info.Env(), encapsulationKey_->level());
}

Napi::Value EngineObject::unloadKeys(const Napi::CallbackInfo& info) {
    keys_.clear();
    encapsulationKey_.reset();
    return info.Env().Undefined();
}

Napi::Value EngineObject::keyLevels(const Napi::CallbackInfo& info) {
    auto out = Napi::Array::New(info.Env(), keys_.size());
    uint32_t i = 0;
    for (const auto& [element, key] : keys_) {
        auto entry = Napi::Object::New(info.Env());
        entry.Set("element", element);
        entry.Set("level", key->level());
        out.Set(i++, entry);
    }
    return out;
}

}  // namespace heml::addon
