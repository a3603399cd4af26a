// How methods of EngineObject put work into the queue: templates that engine-object.h declares.
#pragma once

#include "engine-object.h"

namespace heml::addon {

template <typename Work>
Napi::Value EngineObject::queue(Napi::Env env, std::vector<std::shared_ptr<Node>> inputs, Work work) {
    auto core = open(env);
    auto slot = std::make_shared<CiphertextSlot>();
    slot->node = core->scheduler->submit(
        scope_->lane, inputs,
        [core = core.get(), scope = scope_, slot = std::weak_ptr<CiphertextSlot>(slot), work = std::move(work)]() mutable {
            // nobody can read a result whose handle is gone and that no later operation shares
            if (auto target = slot.lock()) target->value = noted(*core, *scope, work);
        });
    return wrapHandle(env, HandleKind::Ciphertext, std::move(slot));
}

template <typename Work>
Napi::Value EngineObject::queueMany(Napi::Env env, std::vector<std::shared_ptr<Node>> inputs, size_t count, Work work) {
    auto core = open(env);
    std::vector<std::shared_ptr<CiphertextSlot>> slots(count);
    std::vector<std::weak_ptr<CiphertextSlot>> targets;
    for (auto& slot : slots) {
        slot = std::make_shared<CiphertextSlot>();
        targets.emplace_back(slot);
    }
    auto node = core->scheduler->submit(
        scope_->lane, inputs,
        [core = core.get(), scope = scope_, targets = std::move(targets), work = std::move(work)]() mutable {
            std::vector<Ciphertext> results = noted(*core, *scope, work);
            for (size_t i = 0; i < targets.size(); ++i)
                if (auto target = targets[i].lock()) target->value = std::move(results[i]);
        });
    auto out = Napi::Array::New(env, count);
    for (size_t i = 0; i < count; ++i) {
        slots[i]->node = node;
        out.Set(static_cast<uint32_t>(i), wrapHandle(env, HandleKind::Ciphertext, std::move(slots[i])));
    }
    return out;
}

template <typename Work>
Napi::Value EngineObject::promise(Napi::Env env, std::vector<std::shared_ptr<Node>> inputs, Work work, Completions::Make make) {
    auto core = open(env);
    auto [result, ticket] = completions_->open(env, std::move(make));
    auto node =
        core->scheduler->submit(scope_->lane, inputs, [core = core.get(), work = std::move(work)]() mutable { work(*core); });
    core->scheduler->onSettled(node, [completions = completions_, ticket = ticket](std::exception_ptr error) {
        completions->settle(ticket, std::move(error));
    });
    return result;
}

}  // namespace heml::addon
