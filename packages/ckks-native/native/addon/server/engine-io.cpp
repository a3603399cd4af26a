// Ciphertexts and keys in and out, as raw segments (serialize.h); the container around them is TypeScript's.
#include "addon/arguments.h"
#include "addon/byte-buffer.h"
#include "addon/pinned.h"
#include "engine-queue.h"
#include "scheme/serialize.h"

namespace heml::addon {

namespace {

Expansion expansionOf(const Napi::CallbackInfo& info, size_t i) {
    return info[i].ToBoolean().Value() ? Expansion::TurboShake128 : Expansion::Shake128;
}

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
            [pinned, slot](Napi::Env e) { return wrapHandle(e, HandleKind::Ciphertext, slot); });
    });
}

Napi::Value EngineObject::loadKey(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        KeyShape shape;
        shape.galoisElement = unsignedOf(info, 0, "element");
        shape.level = unsignedOf(info, 1, "level");
        shape.seeded = true;
        shape.packed = true;   // a quarter or half less memory, and faster: keys are read at the speed of memory
        shape.expansion = expansionOf(info, 3);
        auto pinned = std::make_shared<Pinned>(bytesOf(info, 2, "segment"));
        auto made = std::make_shared<std::shared_ptr<KeySwitchKey>>();
        return promise(
            env, {},
            [shape, pinned = pinned.get(), made](Core& core) {
                *made = std::make_shared<KeySwitchKey>(
                    importKeySwitchKey(core.context, shape, pinned->data(), pinned->size(), *core.scheduler));
            },
            [core = open(env), self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(Value())), pinned,
             made](Napi::Env e) {
                if (core->closed) throw toJavaScript(e, "Disposed", "the engine was closed while the key was loading");
                auto& place = core->keys[(*made)->galoisElement()];
                if (!place || place->level() < (*made)->level()) place = std::move(*made);
                return e.Undefined();
            });
    });
}

Napi::Value EngineObject::loadEncapsulationKey(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const uint32_t level = unsignedOf(info, 0, "level");
        const Expansion expansion = expansionOf(info, 3);
        auto toSparse = std::make_shared<Pinned>(bytesOf(info, 1, "switch to the ephemeral secret"));
        auto toDense = std::make_shared<Pinned>(bytesOf(info, 2, "switch from the ephemeral secret"));
        auto made = std::make_shared<std::shared_ptr<EncapsulationKey>>();
        return promise(
            env, {},
            [level, expansion, toSparse = toSparse.get(), toDense = toDense.get(), made](Core& core) {
                auto key = std::make_shared<EncapsulationKey>();
                key->toSparse = importKeySwitchKey(core.ephemeral(), {0, 1, true, true, expansion}, toSparse->data(),
                                                   toSparse->size(), *core.scheduler);
                key->toDense = importKeySwitchKey(core.context, {level, 1, true, true, expansion}, toDense->data(),
                                                  toDense->size(), *core.scheduler);
                *made = std::move(key);
            },
            [core = open(env), self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(Value())), toSparse, toDense,
             made](Napi::Env e) {
                if (core->closed) throw toJavaScript(e, "Disposed", "the engine was closed while the key was loading");
                auto& place = core->encapsulationKey;
                if (!place || place->level() < (*made)->level()) place = std::move(*made);
                return e.Undefined();
            });
    });
}

Napi::Value EngineObject::encapsulationLevel(const Napi::CallbackInfo& info) {
    const auto& key = open(info.Env())->encapsulationKey;
    if (!key) return info.Env().Undefined();
    return Napi::Number::New(info.Env(), key->level());
}

// Element 1: the encapsulation key. Operations that were queued with a key share it, and its memory goes with the last of them.
Napi::Value EngineObject::unloadKey(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto core = open(env);
        const uint32_t element = unsignedOf(info, 0, "element");
        if (element == 1)
            core->encapsulationKey.reset();
        else
            core->keys.erase(element);
        return env.Undefined();
    });
}

Napi::Value EngineObject::unloadKeys(const Napi::CallbackInfo& info) {
    auto core = open(info.Env());
    core->keys.clear();
    core->encapsulationKey.reset();
    return info.Env().Undefined();
}

Napi::Value EngineObject::keyLevels(const Napi::CallbackInfo& info) {
    const auto& keys = open(info.Env())->keys;
    auto out = Napi::Array::New(info.Env(), keys.size());
    uint32_t i = 0;
    for (const auto& [element, key] : keys) {
        auto entry = Napi::Object::New(info.Env());
        entry.Set("element", element);
        entry.Set("level", key->level());
        out.Set(i++, entry);
    }
    return out;
}

}  // namespace heml::addon
