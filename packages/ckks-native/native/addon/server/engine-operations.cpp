// The evaluator's operations: read handles, queue the call, hand back a handle. Levels, degrees and scales were checked in
// TypeScript; the engine checks levels and degrees again when the operation runs.
#include "addon/arguments.h"
#include "engine-queue.h"
#include "server/evaluator.h"
#include "server/mod-raise.h"
#include "server/raise-transform.h"

namespace heml::addon {

namespace {

using Slots = std::vector<std::shared_ptr<CiphertextSlot>>;

Slots ciphertextsOf(const Napi::CallbackInfo& info, size_t i, const char* name) {
    const auto array = arrayOf(info, i, name);
    Slots out;
    out.reserve(array.Length());
    for (uint32_t k = 0; k < array.Length(); ++k) out.push_back(ciphertextOf(array.Get(k)));
    return out;
}

std::vector<std::shared_ptr<Node>> nodesOf(const Slots& slots) {
    std::vector<std::shared_ptr<Node>> nodes;
    for (const auto& slot : slots)
        if (slot->node) nodes.push_back(slot->node);
    return nodes;
}

std::vector<const Ciphertext*> pointersOf(const Slots& slots) {
    std::vector<const Ciphertext*> out;
    for (const auto& slot : slots) out.push_back(&slot->value);
    return out;
}

// A rounded double as an exact integer; |value| < 2^120.
__int128 integerOf(const Napi::Env& env, double value, const char* name) {
    if (!(std::abs(value) < 0x1p120)) badArgument(env, name, "less than 2^120 after scaling");
    return static_cast<__int128>(std::round(value));
}

GaussianInteger scalarOf(const Napi::CallbackInfo& info, size_t i) {
    return {integerOf(info.Env(), numberOf(info, i, "real part"), "real part"),
            integerOf(info.Env(), numberOf(info, i + 1, "imaginary part"), "imaginary part")};
}

// Real and imaginary parts of so many constants, one after the other.
std::vector<GaussianInteger> scalarsOf(const Napi::CallbackInfo& info, size_t i, size_t count) {
    const auto parts = doublesOf(info, i, "constants");
    if (parts.ElementLength() != 2 * count) badArgument(info.Env(), "constants", "a real and an imaginary part for each");
    std::vector<GaussianInteger> scalars;
    for (size_t k = 0; k < parts.ElementLength(); k += 2) {
        scalars.push_back({integerOf(info.Env(), parts[k], "real part"), integerOf(info.Env(), parts[k + 1], "imaginary part")});
    }
    return scalars;
}

KeyPointer needed(const Napi::Env& env, KeyPointer key, uint32_t element) {
    if (!key)
        throw toJavaScript(env, "Key",
                           element == KeySwitchKey::RELINEARIZATION
                               ? std::string("no relinearization key is loaded")
                               : "no key for Galois element " + std::to_string(element) + " is loaded");
    return key;
}

}  // namespace

Napi::Value EngineObject::encode(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        auto core = open(env);
        auto values = std::make_shared<SlotVector>(slotsOf(info, 0));
        for (const auto* half : {&values->re, &values->im})
            for (size_t i = 0; i < half->size(); ++i)
                if (!std::isfinite((*half)[i]))
                    throw toJavaScript(env, "InvalidArgument", "encode: slot " + std::to_string(i) + " is not finite");
        const uint32_t level = unsignedOf(info, 2, "level");
        const double scale = numberOf(info, 3, "scale");
        const EncodeOptions options{
            .extended = info[4].ToBoolean().Value(), .deferred = info[5].ToBoolean().Value(), .packed = true};
        auto slot = std::make_shared<PlaintextSlot>();
        slot->node = core->scheduler->submit(
            scope_->lane, {},
            [core = core.get(), scope = scope_, values, level, scale, options, slot = std::weak_ptr<PlaintextSlot>(slot)] {
                auto target = slot.lock();
                if (!target) return;
                auto work = [&](Core& c) {
                    return c.encoder->encode(values->re.data(), values->imaginary(), values->re.size(), level, scale, options,
                                             *c.scheduler);
                };
                target->value = noted(*core, *scope, work);
            });
        return wrapHandle(env, HandleKind::Plaintext, std::move(slot));
    });
}

// Methods of one shape: ciphertexts and plaintexts in, one ciphertext out.
#define HEML_UNARY(method, call)                                                                              \
    Napi::Value EngineObject::method(const Napi::CallbackInfo& info) {                                        \
        return guarded(info.Env(), [&] {                                                                      \
            auto a = ciphertextOf(info[0]);                                                                   \
            return queue(info.Env(), {a->node}, [a](Core& core) { return call(a->value, *core.scheduler); }); \
        });                                                                                                   \
    }
#define HEML_BINARY(method, call, secondOf)                                                         \
    Napi::Value EngineObject::method(const Napi::CallbackInfo& info) {                              \
        return guarded(info.Env(), [&] {                                                            \
            auto a = ciphertextOf(info[0]);                                                         \
            auto b = secondOf(info[1]);                                                             \
            return queue(info.Env(), {a->node, b->node},                                            \
                         [a, b](Core& core) { return call(a->value, b->value, *core.scheduler); }); \
        });                                                                                         \
    }

HEML_UNARY(negate, heml::negate)
HEML_UNARY(square, heml::square)
HEML_UNARY(rescale, heml::rescale)
HEML_BINARY(add, heml::add, ciphertextOf)
HEML_BINARY(sub, heml::sub, ciphertextOf)
HEML_BINARY(mul, heml::mul, ciphertextOf)
HEML_BINARY(addPlain, heml::addPlain, plaintextOf)
HEML_BINARY(subPlain, heml::subPlain, plaintextOf)
HEML_BINARY(mulPlain, heml::mulPlain, plaintextOf)

#undef HEML_UNARY
#undef HEML_BINARY

Napi::Value EngineObject::mulByI(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
        auto a = ciphertextOf(info[0]);
        return queue(info.Env(), {a->node}, [a](Core& core) { return heml::mulByI(a->value, 1, *core.scheduler); });
    });
}

Napi::Value EngineObject::sum(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto terms = ciphertextsOf(info, 0, "terms");
        auto nodes = nodesOf(terms);
        return queue(env, std::move(nodes),
                     [terms = std::move(terms)](Core& core) { return heml::sum(pointersOf(terms), *core.scheduler); });
    });
}

Napi::Value EngineObject::addScalar(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto a = ciphertextOf(info[0]);
        const auto scalar = scalarOf(info, 1);
        return queue(env, {a->node}, [a, scalar](Core& core) { return heml::addScalar(a->value, scalar, *core.scheduler); });
    });
}

Napi::Value EngineObject::mulScalar(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto a = ciphertextOf(info[0]);
        const auto scalar = scalarOf(info, 1);
        return queue(env, {a->node}, [a, scalar](Core& core) { return heml::mulScalar(a->value, scalar, *core.scheduler); });
    });
}

Napi::Value EngineObject::mulAccumulate(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto a = ciphertextsOf(info, 0, "first operands");
        auto b = ciphertextsOf(info, 1, "second operands");
        if (a.size() != b.size() || a.empty()) badArgument(env, "operands", "two lists of the same, positive length");
        auto nodes = nodesOf(a);
        for (auto& node : nodesOf(b)) nodes.push_back(std::move(node));
        return queue(env, std::move(nodes), [a = std::move(a), b = std::move(b)](Core& core) {
            std::vector<ProductTerm> terms;
            for (size_t i = 0; i < a.size(); ++i) terms.push_back({&a[i]->value, &b[i]->value});
            return heml::mulAccumulate(terms, *core.scheduler);
        });
    });
}

Napi::Value EngineObject::relinearize(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto a = ciphertextOf(info[0]);
        auto key = findKey(KeySwitchKey::RELINEARIZATION);
        return queue(env, {a->node}, [a, key](Core& core) {
            if (a->value.degree() == 1) return a->value.clone();
            if (!key) throw KeyError("no relinearization key is loaded");
            return heml::relinearize(a->value, *key, *core.scheduler);
        });
    });
}

Napi::Value EngineObject::relinearizeRescale(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto a = ciphertextOf(info[0]);
        auto key = findKey(KeySwitchKey::RELINEARIZATION);
        return queue(env, {a->node}, [a, key](Core& core) {
            if (!key) throw KeyError("no relinearization key is loaded");
            return heml::relinearizeRescale(a->value, *key, *core.scheduler);
        });
    });
}

Napi::Value EngineObject::dropLevel(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto a = ciphertextOf(info[0]);
        const uint32_t level = unsignedOf(info, 1, "level");
        return queue(env, {a->node}, [a, level](Core& core) { return heml::dropLevel(a->value, level, *core.scheduler); });
    });
}

Napi::Value EngineObject::modRaise(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto a = ciphertextOf(info[0]);
        const uint32_t level = unsignedOf(info, 1, "level");
        auto key = open(env)->encapsulationKey;
        if (!key) throw toJavaScript(env, "Key", "no encapsulation key is loaded");
        return queue(env, {a->node},
                     [a, level, key](Core& core) { return heml::modRaise(a->value, *key, level, *core.scheduler); });
    });
}

Napi::Value EngineObject::raiseTransforms(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto inputs = ciphertextsOf(info, 0, "inputs");
        const uint32_t level = unsignedOf(info, 1, "level");
        const auto elements = wordsOf(info, 2, "elements");
        const auto given = arrayOf(info, 3, "plaintexts");
        if (elements.ElementLength() != given.Length()) badArgument(env, "raiseTransforms", "one element for each plaintext");
        auto core = open(env);
        auto key = core->encapsulationKey;
        if (!key) throw toJavaScript(env, "Key", "no encapsulation key is loaded");
        std::vector<std::pair<uint32_t, std::shared_ptr<PlaintextSlot>>> terms;
        std::vector<std::shared_ptr<Node>> nodes = nodesOf(inputs);
        for (uint32_t i = 0; i < given.Length(); ++i) {
            terms.emplace_back(elements[i], plaintextOf(given.Get(i)));
            nodes.push_back(terms.back().second->node);
        }
        const size_t count = inputs.size();
        return queueMany(env, std::move(nodes), count,
                         [inputs = std::move(inputs), level, key, terms = std::move(terms)](Core& core) {
                             std::vector<RaiseTerm> list;
                             for (const auto& [element, plaintext] : terms) list.push_back({element, &plaintext->value});
                             return heml::raiseTransforms(pointersOf(inputs), *key, list, level, *core.scheduler);
                         });
    });
}

Napi::Value EngineObject::rotateHoisted(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto a = ciphertextOf(info[0]);
        const auto elements = wordsOf(info, 1, "elements");
        std::vector<KeyPointer> keys;
        for (size_t i = 0; i < elements.ElementLength(); ++i)
            keys.push_back(elements[i] == 1 ? nullptr : needed(env, findKey(elements[i]), elements[i]));
        const size_t count = keys.size();
        return queueMany(env, {a->node}, count, [a, keys = std::move(keys)](Core& core) {
            std::vector<const KeySwitchKey*> pointers;
            for (const auto& key : keys) pointers.push_back(key.get());
            return heml::rotateHoisted(a->value, pointers, *core.scheduler);
        });
    });
}

Napi::Value EngineObject::linearTransforms(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        struct Term {
            size_t giant;
            KeyPointer key;
            std::shared_ptr<PlaintextSlot> plaintext;
        };
        auto inputs = ciphertextsOf(info, 0, "inputs");
        const auto giants = wordsOf(info, 1, "giants");
        const auto giantOf = wordsOf(info, 2, "giantOf");
        const auto babies = wordsOf(info, 3, "babies");
        const auto plaintexts = arrayOf(info, 4, "plaintexts");
        const bool rescales = info[5].ToBoolean().Value();
        if (giantOf.ElementLength() != babies.ElementLength() || babies.ElementLength() != plaintexts.Length())
            badArgument(env, "linearTransforms", "one giant, one baby step and one plaintext per term");
        auto keyOf = [&](uint32_t element) { return element == 1 ? nullptr : needed(env, findKey(element), element); };
        std::vector<KeyPointer> giantKeys;
        for (size_t i = 0; i < giants.ElementLength(); ++i) giantKeys.push_back(keyOf(giants[i]));
        std::vector<Term> terms;
        std::vector<std::shared_ptr<Node>> nodes = nodesOf(inputs);
        for (uint32_t i = 0; i < plaintexts.Length(); ++i) {
            if (giantOf[i] >= giantKeys.size()) badArgument(env, "giantOf", "an index into giants");
            terms.push_back({giantOf[i], keyOf(babies[i]), plaintextOf(plaintexts.Get(i))});
            nodes.push_back(terms.back().plaintext->node);
        }
        const size_t count = inputs.size();
        return queueMany(
            env, std::move(nodes), count,
            [inputs = std::move(inputs), rescales, giantKeys = std::move(giantKeys), terms = std::move(terms)](Core& core) {
                std::vector<GiantStep> steps(giantKeys.size());
                for (size_t g = 0; g < steps.size(); ++g) steps[g].key = giantKeys[g].get();
                for (const auto& term : terms) steps[term.giant].terms.push_back({term.key.get(), &term.plaintext->value});
                std::erase_if(steps, [](const GiantStep& step) { return step.terms.empty(); });
                if (rescales) return heml::linearTransformRescale(pointersOf(inputs), steps, *core.scheduler);
                return heml::linearTransform(pointersOf(inputs), steps, *core.scheduler);
            });
    });
}

Napi::Value EngineObject::matrixProduct(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto inputs = ciphertextsOf(info, 0, "inputs");
        const uint32_t rows = unsignedOf(info, 1, "rows");
        const auto weights = doublesOf(info, 2, "weights");
        if (weights.ElementLength() != size_t{rows} * inputs.size()) badArgument(env, "weights", "rows x inputs values");
        std::vector<int64_t> integers(weights.ElementLength());
        for (size_t i = 0; i < integers.size(); ++i) {
            if (!(std::abs(weights[i]) < 0x1p62)) badArgument(env, "weights", "less than 2^62 after scaling");
            integers[i] = std::llround(weights[i]);
        }
        auto nodes = nodesOf(inputs);
        return queueMany(env, std::move(nodes), rows,
                         [inputs = std::move(inputs), integers = std::move(integers), rows](Core& core) {
                             return heml::matrixProduct(pointersOf(inputs), integers, rows, *core.scheduler);
                         });
    });
}

Napi::Value EngineObject::linearCombination(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto terms = ciphertextsOf(info, 0, "terms");
        if (terms.empty()) badArgument(env, "terms", "at least one");
        auto scalars = scalarsOf(info, 1, terms.size() + 1);
        auto nodes = nodesOf(terms);
        return queue(env, std::move(nodes), [terms = std::move(terms), scalars = std::move(scalars)](Core& core) {
            std::vector<ScaledTerm> scaled;
            for (size_t i = 0; i < terms.size(); ++i) scaled.push_back({&terms[i]->value, scalars[i]});
            return heml::linearCombination(scaled, scalars.back(), *core.scheduler);
        });
    });
}

Napi::Value EngineObject::productCombination(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        auto a = ciphertextsOf(info, 0, "first operands");
        auto b = ciphertextsOf(info, 1, "second operands");
        auto terms = ciphertextsOf(info, 2, "terms");
        if (a.size() != b.size() || a.empty()) badArgument(env, "operands", "two lists of the same, positive length");
        auto scalars = scalarsOf(info, 3, terms.size() + 2);
        auto nodes = nodesOf(a);
        for (const auto* more : {&b, &terms}) {
            for (auto& node : nodesOf(*more)) nodes.push_back(std::move(node));
        }
        return queue(env, std::move(nodes),
                     [a = std::move(a), b = std::move(b), terms = std::move(terms), scalars = std::move(scalars)](Core& core) {
                         std::vector<ProductTerm> products;
                         for (size_t i = 0; i < a.size(); ++i) products.push_back({&a[i]->value, &b[i]->value});
                         std::vector<ScaledTerm> scaled;
                         for (size_t i = 0; i < terms.size(); ++i) scaled.push_back({&terms[i]->value, scalars[i + 1]});
                         return heml::productCombination(products, scalars.front(), scaled, scalars.back(), *core.scheduler);
                     });
    });
}

}  // namespace heml::addon
