// Secret keys, encryption and decryption. Secrets and clear values live in the pool's secret memory (wiped, locked, in no core
// dump); keys leave only through exportSecretKey.
#include "client-object.h"

#include <cstring>

#include "addon/byte-buffer.h"
#include "addon/cancelled.h"
#include "addon/handles.h"
#include "addon/pinned.h"
#include "addon/specification.h"
#include "client/decryptor.h"
#include "client/encapsulation-generator.h"
#include "client/encryptor.h"
#include "client/key-generator.h"
#include "client/secret-key-segment.h"
#include "scheme/public-key.h"
#include "scheme/serialize.h"
#include "secret-slots.h"

namespace heml::addon {

namespace {

using Bytes = std::vector<uint8_t>;

const std::shared_ptr<SecretKey>& secretOf(const Napi::Value& value) {
    return slotOf<SecretKey>(value, HandleKind::SecretKey, "secret key");
}

Napi::Value wrapSecret(Napi::Env env, const std::shared_ptr<std::unique_ptr<SecretKey>>& made) {
    return wrapHandle(env, HandleKind::SecretKey, std::shared_ptr<SecretKey>(std::move(*made)));
}

Bytes copyOf(const Napi::Uint8Array& bytes) { return {bytes.Data(), bytes.Data() + bytes.ByteLength()}; }

}  // namespace

Napi::Value ClientObject::generateSecretKey(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto made = std::make_shared<std::unique_ptr<SecretKey>>();
        return promise(
            env, [made](Core& core) { *made = std::make_unique<SecretKey>(SecretKey::generate(core.context)); },
            [made](Napi::Env e) { return wrapSecret(e, made); });
    });
}

Napi::Value ClientObject::importSecretKey(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const auto given = bytesOf(info, 0, "secret key");
        auto bytes = std::make_shared<Buffer>(secretCopyOf(open(env)->context->pool(), given.Data(), given.ByteLength()));
        auto made = std::make_shared<std::unique_ptr<SecretKey>>();
        return promise(
            env,
            [made, bytes](Core& core) {
                *made = std::make_unique<SecretKey>(
                    heml::importSecretKey(core.context, reinterpret_cast<const uint8_t*>(bytes->data()), bytes->bytes()));
                bytes->reset();
            },
            [made](Napi::Env e) { return wrapSecret(e, made); });
    });
}

Napi::Value ClientObject::exportSecretKey(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto core = open(env);
        auto out = Napi::Uint8Array::New(env, secretKeyBytes(*core->context));
        heml::exportSecretKey(out.Data(), out.ByteLength(), *secretOf(info[0]));
        return out;
    });
}

Napi::Value ClientObject::releaseSecretKey(const Napi::CallbackInfo& info) {
    handleOf<SecretKey>(info[0], HandleKind::SecretKey, "secret key")->slot.reset();
    return info.Env().Undefined();
}

Napi::Value ClientObject::generatePublicKey(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto secret = secretOf(info[0]);
        auto bytes = std::make_shared<ByteBuffer>();
        return promise(
            env,
            [secret, bytes](Core& core) {
                KeyGenerator generator(*secret);
                const auto key = generator.publicKey(core.context->maxLevel(), *core.scheduler);
                bytes->allocate(publicKeyBytes(*core.context, key.level(), true));
                exportPublicKey(bytes->data(), bytes->size(), key, true, *core.scheduler);
            },
            [bytes](Napi::Env e) { return bytes->release(e); });
    });
}

Napi::Value ClientObject::importPublicKey(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto bytes = std::make_shared<Bytes>(copyOf(bytesOf(info, 0, "public key")));
        auto made = std::make_shared<std::shared_ptr<PublicKey>>();
        return promise(
            env,
            [made, bytes](Core& core) {
                *made = std::make_shared<PublicKey>(heml::importPublicKey(core.context, core.context->maxLevel(), true,
                                                                          bytes->data(), bytes->size(), *core.scheduler));
            },
            [made](Napi::Env e) { return wrapHandle(e, HandleKind::PublicKey, *made); });
    });
}

Napi::Value ClientObject::releasePublicKey(const Napi::CallbackInfo& info) {
    handleOf<PublicKey>(info[0], HandleKind::PublicKey, "public key")->slot.reset();
    return info.Env().Undefined();
}

Napi::Value ClientObject::generateKey(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto secret = secretOf(info[0]);
        const uint32_t element = unsignedOf(info, 1, "element");
        const uint32_t level = unsignedOf(info, 2, "level");
        const uint32_t before = unsignedOf(info, 3, "before");
        const uint32_t behind = unsignedOf(info, 4, "behind");
        auto bytes = std::make_shared<ByteBuffer>();
        return promise(
            env,
            [secret, element, level, before, behind, bytes](Core& core) {
                KeyGenerator generator(*secret);
                const size_t size = keySwitchKeyBytes(*core.context, level, true);
                bytes->allocate(before + size + behind);
                std::memset(bytes->data(), 0, before);
                generator.writeSeededKey(bytes->data() + before, size, level, element, *core.scheduler);
                std::memset(bytes->data() + before + size, 0, behind);
            },
            [bytes](Napi::Env e) { return bytes->release(e); });
    });
}

Napi::Value ClientObject::generateEncapsulationKey(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto secret = secretOf(info[0]);
        EncapsulationRequest request;
        request.level = unsignedOf(info, 1, "level");
        const bool raises = !info[2].IsUndefined();
        if (raises) {
            const auto elements = wordsOf(info, 2, "elements");
            for (size_t i = 0; i < elements.ElementLength(); ++i) request.elements.push_back(elements[i]);
        }
        auto segments = std::make_shared<std::vector<ByteBuffer>>();
        return promise(
            env,
            [secret, request, raises, segments](Core& core) {
                EncapsulationContexts contexts{core.encapsulation.ephemeral()};
                if (raises) contexts.raising = core.encapsulation.raising();
                const auto allocate = [&](size_t bytes) {
                    segments->emplace_back().allocate(bytes);
                    return segments->back().data();
                };
                writeEncapsulationKey(*secret, contexts, request, allocate, *core.scheduler);
            },
            [segments](Napi::Env e) {
                auto out = Napi::Array::New(e, segments->size());
                for (uint32_t i = 0; i < segments->size(); ++i) out.Set(i, (*segments)[i].release(e));
                return out;
            });
    });
}

Napi::Value ClientObject::encryptSymmetric(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto secret = secretOf(info[0]);
        auto values = std::make_shared<SecretSlots>(secretSlotsOf(info, 1, open(env)->context->pool()));
        const uint32_t level = unsignedOf(info, 3, "level");
        const double scale = numberOf(info, 4, "scale");
        auto bytes = std::make_shared<ByteBuffer>();
        return promise(
            env,
            [secret, values, level, scale, bytes](Core& core) {
                const auto plaintext =
                    core.encoder->encode(values->real(), values->imaginary(), values->count, level, scale,
                                         {.extended = false, .compact = false, .secret = true}, *core.scheduler);
                const auto made = encrypt(plaintext, *secret, *core.scheduler);
                bytes->allocate(ciphertextBytes(*core.context, level, 1, true));
                heml::exportCiphertext(bytes->data(), bytes->size(), made.ciphertext, &made.seed, *core.scheduler);
            },
            [bytes](Napi::Env e) { return bytes->release(e); });
    });
}

Napi::Value ClientObject::encryptPublic(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto key = slotOf<PublicKey>(info[0], HandleKind::PublicKey, "public key");
        auto values = std::make_shared<SecretSlots>(secretSlotsOf(info, 1, open(env)->context->pool()));
        const uint32_t level = unsignedOf(info, 3, "level");
        const double scale = numberOf(info, 4, "scale");
        auto bytes = std::make_shared<ByteBuffer>();
        return promise(
            env,
            [key, values, level, scale, bytes](Core& core) {
                const auto plaintext =
                    core.encoder->encode(values->real(), values->imaginary(), values->count, level, scale,
                                         {.extended = false, .compact = false, .secret = true}, *core.scheduler);
                const auto made = encrypt(plaintext, *key, *core.scheduler);
                bytes->allocate(ciphertextBytes(*core.context, level, 1, false));
                heml::exportCiphertext(bytes->data(), bytes->size(), made, nullptr, *core.scheduler);
            },
            [bytes](Napi::Env e) { return bytes->release(e); });
    });
}

Napi::Value ClientObject::decrypt(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto secret = secretOf(info[0]);
        if (!info[1].IsObject()) badArgument(env, "ciphertext", "its level, degree, seeded, slots and scale");
        const auto given = info[1].As<Napi::Object>();
        const auto count = [&](const char* name) {
            const double value = given.Get(name).ToNumber().DoubleValue();
            if (!(value >= 0 && value <= 0x1p31 && value == std::floor(value))) badArgument(env, name, "a non-negative integer");
            return static_cast<uint32_t>(value);
        };
        CiphertextShape shape;
        shape.level = count("level");
        shape.degree = count("degree");
        shape.seeded = given.Get("seeded").ToBoolean().Value();
        const uint32_t slots = count("slots");
        const double scale = given.Get("scale").ToNumber().DoubleValue();
        if (!std::isfinite(scale)) badArgument(env, "scale", "a finite number");
        auto pinned = std::make_shared<Pinned>(bytesOf(info, 2, "segment"));
        auto result = std::make_shared<SecretSlots>();
        return promise(
            env,
            [secret, shape, slots, scale, pinned = pinned.get(), result](Core& core) {
                const auto ciphertext =
                    heml::importCiphertext(core.context, shape, pinned->data(), pinned->size(), *core.scheduler);
                DecryptOptions options;
                // a product that was not rescaled may need more than the lowest 128 bits
                options.allLimbs = scale > 0x1p60;
                const auto plaintext = heml::decrypt(ciphertext, *secret, options, *core.scheduler);
                MemoryPool& pool = core.context->pool();
                result->re = pool.allocate(slots * sizeof(double), MemoryKind::Scratch, true);
                result->im = pool.allocate(slots * sizeof(double), MemoryKind::Scratch, true);
                core.encoder->decode(reinterpret_cast<double*>(result->re.data()), reinterpret_cast<double*>(result->im.data()),
                                     slots, plaintext, scale, *core.scheduler);
            },
            [result, pinned](Napi::Env e) {
                auto out = Napi::Object::New(e);
                auto put = [&](const char* name, Buffer& values) {
                    auto array = Napi::Float64Array::New(e, values.bytes() / sizeof(double));
                    if (values) std::memcpy(array.Data(), values.data(), values.bytes());
                    out.Set(name, array);
                    values.reset();
                };
                put("re", result->re);
                put("im", result->im);
                return out;
            });
    });
}

}  // namespace heml::addon
