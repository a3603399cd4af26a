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
        const bool raises = !info[1].IsUndefined();
        std::vector<uint32_t> elements{1};
        if (raises) {
            const auto more = wordsOf(info, 1, "elements");
            for (size_t i = 0; i < more.ElementLength(); ++i) elements.push_back(more[i]);
        }
        const auto segments = arrayOf(info, 2, "segments");
        if (segments.Length() != elements.size() + 1)
            badArgument(env, "segments", "one to the ephemeral secret, one for each key back");
        const Expansion expansion = expansionOf(info, 3);
        auto pinned = std::make_shared<std::vector<Pinned>>();
        for (uint32_t i = 0; i < segments.Length(); ++i) {
            if (!segments.Get(i).IsTypedArray()) badArgument(env, "segments", "a list of Uint8Array");
            pinned->emplace_back(segments.Get(i).As<Napi::Uint8Array>());
        }
        auto made = std::make_shared<std::shared_ptr<EncapsulationKey>>();
        return promise(
            env, {},
            [level, raises, elements, expansion, pinned = pinned.get(), made](Core& core) {
                auto key = std::make_shared<EncapsulationKey>();
                const auto read = [&](size_t i, const std::shared_ptr<const Context>& context, unsigned at, uint32_t element) {
                    const Pinned& bytes = (*pinned)[i];
                    return importKeySwitchKey(context, {at, element, true, true, expansion}, bytes.data(), bytes.size(),
                                              *core.scheduler);
                };
                key->toSparse = read(0, core.encapsulation.ephemeral(), 0, 1);
                const auto& context = raises ? core.encapsulation.raising() : core.context;
                for (size_t i = 0; i < elements.size(); ++i) key->toDense.push_back(read(i + 1, context, level, elements[i]));
                *made = std::move(key);
            },
            [core = open(env), self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(Value())), pinned,
             made](Napi::Env e) {
                if (core->closed) throw toJavaScript(e, "Disposed", "the engine was closed while the key was loading");
                auto& place = core->encapsulationKey;
                if (place && place->serves(**made, *core->context)) return e.Undefined();
                if (place && !(*made)->serves(*place, *core->context)) {
                    throw toJavaScript(e, "InvalidArgument",
                                       "the encapsulation key of level " + std::to_string(place->level()) + " with " +
                                           std::to_string(place->toDense.size() - 1) +
                                           " rotations that is loaded does things that this one of level " +
                                           std::to_string((*made)->level()) + " with " +
                                           std::to_string((*made)->toDense.size() - 1) +
                                           " does not, and the reverse: make one for both, or unload the other first");
                }
                place = std::move(*made);
                return e.Undefined();
            });
    });
}

// Its level and, of one with keys of the raising context, their Galois elements besides 1.
Napi::Value EngineObject::encapsulation(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    const auto core = open(env);
    const auto& key = core->encapsulationKey;
    if (!key) return env.Undefined();
    auto out = Napi::Object::New(env);
    out.Set("level", key->level());
    if (!key->raising(*core->context, 1)) return out;
    auto elements = Napi::Array::New(env);
    for (uint32_t i = 1; i < key->toDense.size(); ++i) elements.Set(i - 1, key->toDense[i].galoisElement());
    out.Set("elements", elements);
    return out;
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
