#include "completions.h"

#include <atomic>

#include "errors.h"

namespace heml::addon {

struct Completions::Shared {
    Napi::ThreadSafeFunction function;
    size_t pending = 0;  // main thread only
    std::atomic<bool> closed{false};
};

struct Completions::Pending {
    Napi::Promise::Deferred deferred;
    Make make;
    std::exception_ptr error;
    std::shared_ptr<Shared> shared;
};

Completions::Completions(Napi::Env env) : shared_(std::make_shared<Shared>()) {
    auto nothing = Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
    // at the end of the process Node may free the function before it frees the engine that holds it
    shared_->function = Napi::ThreadSafeFunction::New(env, nothing, "he-ml completions", 0, 1,
                                                      [shared = shared_](Napi::Env) { shared->closed = true; });
    shared_->function.Unref(env);
}

Completions::~Completions() {
    if (!shared_->closed) shared_->function.Release();
}

std::pair<Napi::Promise, Completions::Pending*> Completions::open(Napi::Env env, Make make) {
    auto deferred = Napi::Promise::Deferred::New(env);
    auto promise = deferred.Promise();
    auto* ticket = new Pending{deferred, std::move(make), nullptr, shared_};
    if (shared_->pending++ == 0) shared_->function.Ref(env);
    return {promise, ticket};
}

void Completions::settle(Pending* ticket, std::exception_ptr error) {
    ticket->error = std::move(error);
    const auto status = shared_->function.BlockingCall(ticket, [](Napi::Env env, Napi::Function, Pending* done) {
        std::unique_ptr<Pending> owned(done);
        if (--owned->shared->pending == 0) owned->shared->function.Unref(env);
        Napi::HandleScope scope(env);
        if (owned->error) {
            owned->deferred.Reject(toJavaScript(env, owned->error).Value());
            return;
        }
        try {
            owned->deferred.Resolve(owned->make ? owned->make(env) : env.Undefined());
        } catch (...) {
            owned->deferred.Reject(toJavaScript(env, std::current_exception()).Value());
        }
    });
    if (status != napi_ok) ticket->error = nullptr;  // the environment is going away: nobody listens
}

}  // namespace heml::addon
