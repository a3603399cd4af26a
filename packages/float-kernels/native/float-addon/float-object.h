// The f32 library as JavaScript sees it: threads and scratch memory of its own, and jobs that return promises. Typed
// arrays are used where they lie: referenced until the promise settles, so they may be neither collected nor (this cannot be
// enforced) transferred meanwhile. Jobs are not ordered among each other; whoever needs a result awaits it.
#pragma once

#include <napi.h>

#include <memory>

#include "node/completions.h"
#include "runtime/memory-pool.h"
#include "runtime/scheduler.h"
#include "float/conv.h"

namespace heml::addon {

class FloatObject : public Napi::ObjectWrap<FloatObject> {
public:
    static Napi::Function define(Napi::Env env);
    explicit FloatObject(const Napi::CallbackInfo& info);
    ~FloatObject() override;

private:
    // What workers may touch; outlives the JavaScript object while work is queued.
    struct Core {
        const f32::Kernels* kernels;
        std::shared_ptr<MemoryPool> pool;
        std::unique_ptr<Scheduler> scheduler;
        f32::Runtime runtime() const { return {*kernels, *pool, *scheduler}; }
    };

    Napi::Value kernel(const Napi::CallbackInfo& info);
    Napi::Value threads(const Napi::CallbackInfo& info);
    Napi::Value gemm(const Napi::CallbackInfo& info);
    Napi::Value conv2d(const Napi::CallbackInfo& info);
    Napi::Value conv2dBackwardInput(const Napi::CallbackInfo& info);
    Napi::Value conv2dBackwardWeight(const Napi::CallbackInfo& info);
    Napi::Value neurons(const Napi::CallbackInfo& info);
    Napi::Value neuronsBackward(const Napi::CallbackInfo& info);
    Napi::Value channelMoments(const Napi::CallbackInfo& info);
    Napi::Value scaleChannels(const Napi::CallbackInfo& info);
    Napi::Value channelSums(const Napi::CallbackInfo& info);
    Napi::Value normalizationBackward(const Napi::CallbackInfo& info);
    Napi::Value averagePool(const Napi::CallbackInfo& info);
    Napi::Value averagePoolBackward(const Napi::CallbackInfo& info);
    Napi::Value maxPool(const Napi::CallbackInfo& info);
    Napi::Value maxPoolBackward(const Napi::CallbackInfo& info);
    Napi::Value close(const Napi::CallbackInfo& info);

    std::shared_ptr<Core> open(Napi::Env env) const;   // throws when closed

    // Queues `work(runtime)`; `pins` is destroyed on the main thread when the promise settles.
    template <typename Pins, typename Work>
    Napi::Value promise(Napi::Env env, std::shared_ptr<Pins> pins, Work work);

    std::shared_ptr<Core> core_;
    std::shared_ptr<Completions> completions_;
};

template <typename Pins, typename Work>
Napi::Value FloatObject::promise(Napi::Env env, std::shared_ptr<Pins> pins, Work work) {
    auto core = open(env);
    // the wrapper is kept too: jobs outlive a program that forgets the object and awaits the promise
    auto self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(Value()));
    auto [result, ticket] = completions_->open(env, [pins = std::move(pins), self](Napi::Env e) { return e.Undefined(); });
    auto node = core->scheduler->submit({}, [core = core.get(), work = std::move(work)] { work(core->runtime()); });
    core->scheduler->onSettled(node, [completions = completions_, ticket = ticket](std::exception_ptr error) {
        completions->settle(ticket, std::move(error));
    });
    return result;
}

}  // namespace heml::addon
