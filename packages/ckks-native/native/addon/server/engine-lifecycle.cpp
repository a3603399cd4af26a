#include "addon/arguments.h"
#include "addon/cancelled.h"
#include "addon/specification.h"
#include "engine-object.h"
#include "kernel/kernels.h"

namespace heml::addon {

Napi::Function EngineObject::define(Napi::Env env) {
    using E = EngineObject;
    return DefineClass(env, "Engine",
                       {
                           InstanceAccessor<&E::threads>("threads"),
                           InstanceMethod<&E::encode>("encode"),
                           InstanceMethod<&E::add>("add"),
                           InstanceMethod<&E::sub>("sub"),
                           InstanceMethod<&E::sum>("sum"),
                           InstanceMethod<&E::negate>("negate"),
                           InstanceMethod<&E::addPlain>("addPlain"),
                           InstanceMethod<&E::subPlain>("subPlain"),
                           InstanceMethod<&E::mulPlain>("mulPlain"),
                           InstanceMethod<&E::addScalar>("addScalar"),
                           InstanceMethod<&E::mulScalar>("mulScalar"),
                           InstanceMethod<&E::mulByI>("mulByI"),
                           InstanceMethod<&E::mul>("mul"),
                           InstanceMethod<&E::square>("square"),
                           InstanceMethod<&E::mulAccumulate>("mulAccumulate"),
                           InstanceMethod<&E::relinearize>("relinearize"),
                           InstanceMethod<&E::relinearizeRescale>("relinearizeRescale"),
                           InstanceMethod<&E::rescale>("rescale"),
                           InstanceMethod<&E::dropLevel>("dropLevel"),
                           InstanceMethod<&E::modRaise>("modRaise"),
                           InstanceMethod<&E::raiseTransforms>("raiseTransforms"),
                           InstanceMethod<&E::rotateHoisted>("rotateHoisted"),
                           InstanceMethod<&E::linearTransforms>("linearTransforms"),
                           InstanceMethod<&E::matrixProduct>("matrixProduct"),
                           InstanceMethod<&E::productCombination>("productCombination"),
                           InstanceMethod<&E::linearCombination>("linearCombination"),
                           InstanceMethod<&E::releaseCiphertext>("releaseCiphertext"),
                           InstanceMethod<&E::releasePlaintext>("releasePlaintext"),
                           InstanceMethod<&E::readyCiphertext>("readyCiphertext"),
                           InstanceMethod<&E::drain>("drain"),
                           InstanceMethod<&E::cancel>("cancel"),
                           InstanceMethod<&E::counters>("counters"),
                           InstanceMethod<&E::memory>("memory"),
                           InstanceMethod<&E::trim>("trim"),
                           InstanceMethod<&E::openLane>("openLane"),
                           InstanceMethod<&E::close>("close"),
                           InstanceMethod<&E::exportCiphertext>("exportCiphertext"),
                           InstanceMethod<&E::importCiphertext>("importCiphertext"),
                           InstanceMethod<&E::loadKey>("loadKey"),
                           InstanceMethod<&E::loadEncapsulationKey>("loadEncapsulationKey"),
                           InstanceMethod<&E::encapsulation>("encapsulation"),
                           InstanceMethod<&E::unloadKey>("unloadKey"),
                           InstanceMethod<&E::unloadKeys>("unloadKeys"),
                           InstanceMethod<&E::keyLevels>("keyLevels"),
                       });
}

EngineObject::EngineObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineObject>(info) {
    const auto env = info.Env();
    guarded(env, [&] {
        if (adopted) {
            core_ = adopted->core;
            scope_ = adopted->scope;
            completions_ = adopted->completions;
            return;
        }
        if (!info[0].IsObject() || !info[1].IsObject()) badArgument(env, "Engine", "a specification and options");
        const auto spec = info[0].As<Napi::Object>();
        const auto options = info[1].As<Napi::Object>();
        auto core = std::make_shared<Core>();
        core->pool = MemoryPool::create();
        core->context = Context::create(specOf(spec), core->pool);
        core->encapsulation.start(core->context, ephemeralSpecialsOf(spec, *core->context));
        core->encoder = std::make_unique<Encoder>(core->context);
        SchedulerOptions scheduling;
        scheduling.threads = options.Get("threads").ToNumber().Uint32Value();
        scheduling.pool = core->pool;
        scheduling.ceilingBytes = static_cast<size_t>(options.Get("ceilingBytes").ToNumber().DoubleValue());
        core->scheduler = std::make_unique<Scheduler>(scheduling);
        scope_ = std::make_shared<Scope>();
        scope_->lane = core->scheduler->mainLane();
        core_ = std::move(core);
        completions_ = std::make_shared<Completions>(env);
    });
}

EngineObject::~EngineObject() {
    if (core_ && !isLane()) core_->scheduler->shutdown();  // callbacks reach completions_ until here
}

thread_local const EngineObject::Adopted* EngineObject::adopted = nullptr;

// An object of the same class around the same core, with a lane of its own.
Napi::Value EngineObject::openLane(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        auto core = open(env);
        if (!info[0].IsObject()) badArgument(env, "openLane", "options");
        const double ceiling = info[0].As<Napi::Object>().Get("ceilingBytes").ToNumber().DoubleValue();
        if (!(ceiling >= 0 && ceiling < 0x1p63)) badArgument(env, "ceilingBytes", "a number of bytes");
        auto scope = std::make_shared<Scope>();
        scope->lane = core->scheduler->openLane(static_cast<size_t>(ceiling));
        const Adopted parts{core, std::move(scope), completions_};
        struct Reset {
            ~Reset() { adopted = nullptr; }
        } reset;
        adopted = &parts;
        return Value().Get("constructor").As<Napi::Function>().New({});
    });
}

std::shared_ptr<EngineObject::Core> EngineObject::open(Napi::Env env) const {
    if (!core_ || core_->closed) throw toJavaScript(env, "Disposed", "the engine or lane was closed before");
    return core_;
}

KeyPointer EngineObject::findKey(uint32_t element) const {
    const auto& keys = core_->keys;
    const auto found = keys.find(element);
    return found == keys.end() ? nullptr : found->second;
}

Napi::Value EngineObject::threads(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), open(info.Env())->scheduler->width());
}

Napi::Value EngineObject::releaseCiphertext(const Napi::CallbackInfo& info) {
    handleOf<CiphertextSlot>(info[0], HandleKind::Ciphertext, "ciphertext")->slot.reset();
    return info.Env().Undefined();
}

Napi::Value EngineObject::releasePlaintext(const Napi::CallbackInfo& info) {
    handleOf<PlaintextSlot>(info[0], HandleKind::Plaintext, "plaintext")->slot.reset();
    return info.Env().Undefined();
}

Napi::Value EngineObject::readyCiphertext(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        auto core = open(env);
        auto slot = ciphertextOf(info[0]);
        auto [result, ticket] = completions_->open(env);
        if (!slot->node) {
            completions_->settle(ticket, nullptr);
        } else {
            // the slot is kept until then: a result that somebody waits for is computed
            core->scheduler->onSettled(slot->node, [completions = completions_, ticket = ticket, slot](std::exception_ptr error) {
                completions->settle(ticket, std::move(error));
            });
        }
        return result;
    });
}

Napi::Value EngineObject::drain(const Napi::CallbackInfo& info) {
    // draining blocks, so a thread of its own does it
    const auto env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        auto core = open(env);
        auto [result, ticket] = completions_->open(env);
        std::thread([core, scope = scope_, completions = completions_, ticket = ticket] {
            core->scheduler->drain(scope->lane);
            completions->settle(ticket, scope->failure.take());
        }).detach();
        return result;
    });
}

Napi::Value EngineObject::cancel(const Napi::CallbackInfo& info) {
    const size_t count = open(info.Env())->scheduler->cancelAll(scope_->lane, std::make_exception_ptr(Cancelled()));
    return Napi::Number::New(info.Env(), static_cast<double>(count));
}

Napi::Value EngineObject::counters(const Napi::CallbackInfo& info) {
    const auto counters = open(info.Env())->scheduler->counters(*scope_->lane);
    auto out = Napi::Object::New(info.Env());
    out.Set("queued", static_cast<double>(counters.queued));
    out.Set("running", static_cast<double>(counters.running));
    out.Set("done", static_cast<double>(counters.done));
    out.Set("failed", static_cast<double>(counters.failed));
    return out;
}

Napi::Value EngineObject::memory(const Napi::CallbackInfo& info) {
    const auto core = open(info.Env());
    MemoryAccount counters;
    if (isLane()) {
        counters = core->pool->counters(*scope_->lane->account());
    } else {
        const auto all = core->pool->counters();
        counters = {all.current, all.total, all.totalPeak};
    }
    auto out = Napi::Object::New(info.Env());
    const char* names[] = {"ciphertexts", "plaintexts", "keys", "scratch"};
    for (size_t kind = 0; kind < MEMORY_KINDS; ++kind) out.Set(names[kind], static_cast<double>(counters.current[kind]));
    out.Set("total", static_cast<double>(counters.total));
    out.Set("peak", static_cast<double>(counters.totalPeak));
    return out;
}

Napi::Value EngineObject::trim(const Napi::CallbackInfo& info) {
    open(info.Env())->pool->trim();
    return info.Env().Undefined();
}

// Of a lane: cancels and waits for its own work. Of the engine: for all of it, and gives keys and threads back.
Napi::Value EngineObject::close(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    auto [result, ticket] = completions_->open(env);
    const bool lane = isLane();
    auto core = std::move(core_);
    core_.reset();
    if (!core) {
        completions_->settle(ticket, nullptr);
        return result;
    }
    if (lane) {
        core->scheduler->cancelAll(scope_->lane, std::make_exception_ptr(Cancelled()));
    } else {
        core->closed = true;
        core->keys.clear();
        core->encapsulationKey.reset();
        core->scheduler->cancelAll(std::make_exception_ptr(Cancelled()));
    }
    std::thread([core = std::move(core), scope = scope_, lane, completions = completions_, ticket = ticket]() mutable {
        if (lane)
            core->scheduler->closeLane(scope->lane, std::make_exception_ptr(Cancelled()));
        else
            core->scheduler->shutdown();
        const auto pool = core->pool;
        core.reset();
        if (!lane) pool->trim();
        completions->settle(ticket, nullptr);
    }).detach();
    return result;
}

}  // namespace heml::addon
