// One client as JavaScript sees it: a context, secret memory and threads. Everything returns promises; keys and ciphertexts go in
// and out as segments (serialize.h). It evaluates nothing: that is the server's module (addon/server).
#pragma once

#include <napi.h>

#include <memory>
#include <mutex>
#include <vector>

#include "node/completions.h"
#include "addon/encapsulation-contexts.h"
#include "scheme/context.h"
#include "scheme/encoder.h"
#include "runtime/scheduler.h"

namespace heml::addon {

class ClientObject : public Napi::ObjectWrap<ClientObject> {
public:
    static Napi::Function define(Napi::Env env);
    explicit ClientObject(const Napi::CallbackInfo& info);
    ~ClientObject() override;

private:
    // What workers may touch; outlives the JavaScript object while work is queued.
    struct Core {
        std::shared_ptr<MemoryPool> pool;
        std::shared_ptr<const Context> context;
        std::unique_ptr<Encoder> encoder;
        std::unique_ptr<Scheduler> scheduler;
        LazyEncapsulationContexts encapsulation;
    };

    Napi::Value generateSecretKey(const Napi::CallbackInfo& info);
    Napi::Value importSecretKey(const Napi::CallbackInfo& info);
    Napi::Value exportSecretKey(const Napi::CallbackInfo& info);
    Napi::Value releaseSecretKey(const Napi::CallbackInfo& info);
    Napi::Value generatePublicKey(const Napi::CallbackInfo& info);
    Napi::Value importPublicKey(const Napi::CallbackInfo& info);
    Napi::Value releasePublicKey(const Napi::CallbackInfo& info);
    Napi::Value generateKey(const Napi::CallbackInfo& info);
    Napi::Value generateEncapsulationKey(const Napi::CallbackInfo& info);
    Napi::Value encryptSymmetric(const Napi::CallbackInfo& info);
    Napi::Value encryptPublic(const Napi::CallbackInfo& info);
    Napi::Value decrypt(const Napi::CallbackInfo& info);
    Napi::Value close(const Napi::CallbackInfo& info);

    std::shared_ptr<Core> open(Napi::Env env) const;  // throws when the client was closed

    // Queues `work(core)` and returns a promise of `make(env)`.
    template <typename Work>
    Napi::Value promise(Napi::Env env, Work work, Completions::Make make) {
        auto core = open(env);
        auto [result, ticket] = completions_->open(env, std::move(make));
        auto node = core->scheduler->submit({}, [core = core.get(), work = std::move(work)]() mutable { work(*core); });
        core->scheduler->onSettled(node, [completions = completions_, ticket = ticket](std::exception_ptr error) {
            completions->settle(ticket, std::move(error));
        });
        return result;
    }

    std::shared_ptr<Core> core_;
    std::shared_ptr<Completions> completions_;  // callbacks on workers share it
};

}  // namespace heml::addon
