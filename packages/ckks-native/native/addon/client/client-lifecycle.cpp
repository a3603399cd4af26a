#include "addon/arguments.h"
#include "addon/cancelled.h"
#include "addon/specification.h"
#include "client-object.h"

namespace heml::addon {

Napi::Function ClientObject::define(Napi::Env env) {
    using C = ClientObject;
    return DefineClass(env, "Client",
                       {
                           InstanceMethod<&C::generateSecretKey>("generateSecretKey"),
                           InstanceMethod<&C::importSecretKey>("importSecretKey"),
                           InstanceMethod<&C::exportSecretKey>("exportSecretKey"),
                           InstanceMethod<&C::releaseSecretKey>("releaseSecretKey"),
                           InstanceMethod<&C::generatePublicKey>("generatePublicKey"),
                           InstanceMethod<&C::importPublicKey>("importPublicKey"),
                           InstanceMethod<&C::releasePublicKey>("releasePublicKey"),
                           InstanceMethod<&C::generateKey>("generateKey"),
                           InstanceMethod<&C::generateEncapsulationKey>("generateEncapsulationKey"),
                           InstanceMethod<&C::encryptSymmetric>("encryptSymmetric"),
                           InstanceMethod<&C::encryptPublic>("encryptPublic"),
                           InstanceMethod<&C::decrypt>("decrypt"),
                           InstanceMethod<&C::close>("close"),
                       });
}

ClientObject::ClientObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ClientObject>(info) {
    const auto env = info.Env();
    guarded(env, [&] {
        if (!info[0].IsObject() || !info[1].IsObject()) badArgument(env, "Client", "a specification and options");
        const auto spec = info[0].As<Napi::Object>();
        auto core = std::make_shared<Core>();
        core->pool = MemoryPool::create();
        core->context = Context::create(specOf(spec), core->pool);
        core->encapsulation.start(core->context, ephemeralSpecialsOf(spec, *core->context));
        core->encoder = std::make_unique<Encoder>(core->context);
        SchedulerOptions scheduling;
        scheduling.threads = info[1].As<Napi::Object>().Get("threads").ToNumber().Uint32Value();
        core->scheduler = std::make_unique<Scheduler>(scheduling);
        core_ = std::move(core);
        completions_ = std::make_shared<Completions>(env);
    });
}

ClientObject::~ClientObject() {
    if (core_) core_->scheduler->shutdown();  // callbacks reach completions_ until here
}

std::shared_ptr<ClientObject::Core> ClientObject::open(Napi::Env env) const {
    if (!core_) throw toJavaScript(env, "Disposed", "the client was closed before");
    return core_;
}

Napi::Value ClientObject::close(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    auto [result, ticket] = completions_->open(env);
    if (auto core = std::move(core_)) {
        core->scheduler->cancelAll(std::make_exception_ptr(Cancelled()));
        std::thread([core = std::move(core), completions = completions_, ticket = ticket]() mutable {
            core->scheduler->shutdown();
            core.reset();
            completions->settle(ticket, nullptr);
        }).detach();
    } else {
        completions_->settle(ticket, nullptr);
    }
    return result;
}

}  // namespace heml::addon
