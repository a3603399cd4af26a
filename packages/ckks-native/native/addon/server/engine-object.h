// One engine as JavaScript sees it: a context, its memory pool, its threads, its keys; or one of its lanes, which shares all of
// that and has a scope of the queue to itself. Methods check their arguments on the main thread, queue the work and return handles
// at once. The work of an operation holds shared pointers to the slots it reads, never the engine object itself.
// Nothing here can make or use a secret key: that is the client's module (addon/client).
#pragma once

#include <napi.h>

#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "node/completions.h"
#include "addon/encapsulation-contexts.h"
#include "scheme/context.h"
#include "scheme/encoder.h"
#include "scheme/key-switch-key.h"
#include "runtime/scheduler.h"
#include "slots.h"

namespace heml::addon {

using KeyPointer = std::shared_ptr<const KeySwitchKey>;

// The first error of an operation since it was last asked for; what drain() reports. Cancelled operations never ran.
class FirstFailure {
public:
    void note(std::exception_ptr error) {
        const std::lock_guard lock(mutex_);
        if (!first_) first_ = std::move(error);
    }
    std::exception_ptr take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(first_, nullptr);
    }

private:
    std::mutex mutex_;
    std::exception_ptr first_;
};

class EngineObject : public Napi::ObjectWrap<EngineObject> {
public:
    static Napi::Function define(Napi::Env env);
    explicit EngineObject(const Napi::CallbackInfo& info);
    ~EngineObject() override;

private:
    // What workers may touch, and all lanes share; outlives the JavaScript objects while work is queued.
    struct Core {
        std::shared_ptr<MemoryPool> pool;
        std::shared_ptr<const Context> context;
        std::unique_ptr<Encoder> encoder;
        std::unique_ptr<Scheduler> scheduler;
        LazyEncapsulationContexts encapsulation;

        // Main thread only.
        std::map<uint32_t, KeyPointer> keys;
        std::shared_ptr<const EncapsulationKey> encapsulationKey;
        bool closed = false;
    };

    // Of one lane: where its work is queued, and what failed of it.
    struct Scope {
        std::shared_ptr<Lane> lane;
        FirstFailure failure;
    };

    // What a new object takes over in place of options: see openLane().
    struct Adopted {
        std::shared_ptr<Core> core;
        std::shared_ptr<Scope> scope;
        std::shared_ptr<Completions> completions;
    };
    static thread_local const Adopted* adopted;

    // engine-lifecycle.cpp
    Napi::Value threads(const Napi::CallbackInfo& info);
    Napi::Value releaseCiphertext(const Napi::CallbackInfo& info);
    Napi::Value releasePlaintext(const Napi::CallbackInfo& info);
    Napi::Value readyCiphertext(const Napi::CallbackInfo& info);
    Napi::Value drain(const Napi::CallbackInfo& info);
    Napi::Value cancel(const Napi::CallbackInfo& info);
    Napi::Value counters(const Napi::CallbackInfo& info);
    Napi::Value memory(const Napi::CallbackInfo& info);
    Napi::Value trim(const Napi::CallbackInfo& info);
    Napi::Value openLane(const Napi::CallbackInfo& info);
    Napi::Value close(const Napi::CallbackInfo& info);

    // engine-operations.cpp
    Napi::Value encode(const Napi::CallbackInfo& info);
    Napi::Value add(const Napi::CallbackInfo& info);
    Napi::Value sub(const Napi::CallbackInfo& info);
    Napi::Value sum(const Napi::CallbackInfo& info);
    Napi::Value negate(const Napi::CallbackInfo& info);
    Napi::Value addPlain(const Napi::CallbackInfo& info);
    Napi::Value subPlain(const Napi::CallbackInfo& info);
    Napi::Value mulPlain(const Napi::CallbackInfo& info);
    Napi::Value addScalar(const Napi::CallbackInfo& info);
    Napi::Value mulScalar(const Napi::CallbackInfo& info);
    Napi::Value mulByI(const Napi::CallbackInfo& info);
    Napi::Value mul(const Napi::CallbackInfo& info);
    Napi::Value square(const Napi::CallbackInfo& info);
    Napi::Value mulAccumulate(const Napi::CallbackInfo& info);
    Napi::Value relinearize(const Napi::CallbackInfo& info);
    Napi::Value relinearizeRescale(const Napi::CallbackInfo& info);
    Napi::Value rescale(const Napi::CallbackInfo& info);
    Napi::Value dropLevel(const Napi::CallbackInfo& info);
    Napi::Value modRaise(const Napi::CallbackInfo& info);
    Napi::Value raiseTransforms(const Napi::CallbackInfo& info);
    Napi::Value rotateHoisted(const Napi::CallbackInfo& info);
    Napi::Value linearTransforms(const Napi::CallbackInfo& info);
    Napi::Value matrixProduct(const Napi::CallbackInfo& info);
    Napi::Value linearCombination(const Napi::CallbackInfo& info);
    Napi::Value productCombination(const Napi::CallbackInfo& info);

    // engine-io.cpp
    Napi::Value exportCiphertext(const Napi::CallbackInfo& info);
    Napi::Value importCiphertext(const Napi::CallbackInfo& info);
    Napi::Value loadKey(const Napi::CallbackInfo& info);
    Napi::Value loadEncapsulationKey(const Napi::CallbackInfo& info);
    Napi::Value encapsulation(const Napi::CallbackInfo& info);
    Napi::Value unloadKey(const Napi::CallbackInfo& info);
    Napi::Value unloadKeys(const Napi::CallbackInfo& info);
    Napi::Value keyLevels(const Napi::CallbackInfo& info);

    std::shared_ptr<Core> open(Napi::Env env) const;  // throws when the engine was closed

    bool isLane() const { return core_ && scope_->lane != core_->scheduler->mainLane(); }

    // Runs an operation's work, remembering its error for its lane's drain().
    template <typename Work>
    static auto noted(Core& core, Scope& scope, Work& work) {
        try {
            return work(core);
        } catch (...) {
            scope.failure.note(std::current_exception());
            throw;
        }
    }

    // Templates of engine-queue.h, for those files alone that queue.
    // Queues `work(core) -> Ciphertext`; the returned handle's slot receives the result.
    template <typename Work>
    Napi::Value queue(Napi::Env env, std::vector<std::shared_ptr<Node>> inputs, Work work);
    // The same for several results: `work(core) -> std::vector<Ciphertext>` of exactly `count`.
    template <typename Work>
    Napi::Value queueMany(Napi::Env env, std::vector<std::shared_ptr<Node>> inputs, size_t count, Work work);
    // Queues `work(core)` and returns a promise of `make(env)`.
    template <typename Work>
    Napi::Value promise(Napi::Env env, std::vector<std::shared_ptr<Node>> inputs, Work work, Completions::Make make);

    KeyPointer findKey(uint32_t element) const;

    std::shared_ptr<Core> core_;
    std::shared_ptr<Scope> scope_;  // work in the queue shares it
    std::shared_ptr<Completions> completions_;  // callbacks on workers share it
};

}  // namespace heml::addon
