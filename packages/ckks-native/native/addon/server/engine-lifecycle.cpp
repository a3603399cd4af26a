#include "arguments.h"
#include "engine-object.h"
#include "kernel/kernels.h"

namespace heml::addon {

namespace {

std::vector<uint64_t> primesOf(const Napi::Value& value) {
    if (!value.IsArray()) throw toJavaScript(value.Env(), "InvalidArgument", "primes: expected an array of numbers");
    const auto array = value.As<Napi::Array>();
    std::vector<uint64_t> primes;
    for (uint32_t i = 0; i < array.Length(); ++i) {
        const double prime = array.Get(i).ToNumber().DoubleValue();
        if (!(prime > 2 && prime < 281474976710656.0 && prime == std::floor(prime)))
            throw toJavaScript(value.Env(), "InvalidArgument", "primes: expected integers below 2^48");
        primes.push_back(static_cast<uint64_t>(prime));
    }
    return primes;
}

ParametersSpec specOf(const Napi::Object& object) {
    ParametersSpec spec;
    spec.logN = object.Get("logN").ToNumber().Uint32Value();
    const auto levels = object.Get("levels").As<Napi::Array>();
    for (uint32_t i = 0; i < levels.Length(); ++i) spec.levels.push_back(primesOf(levels.Get(i)));
    spec.special = primesOf(object.Get("special"));
    spec.digitLimbs = object.Get("digitLimbs").ToNumber().Uint32Value();
    return spec;
}

class Cancelled : public Error {
public:
    Cancelled() : Error("Cancelled", "the operation was cancelled before it started") {}
};

}  // namespace

Napi::Function EngineObject::define(Napi::Env env) {
    using E = EngineObject;
    return DefineClass(env, "Engine", {
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
        InstanceMethod<&E::rescale>("rescale"),
        InstanceMethod<&E::dropLevel>("dropLevel"),
        InstanceMethod<&E::modRaise>("modRaise"),
        InstanceMethod<&E::rotateHoisted>("rotateHoisted"),
        InstanceMethod<&E::linearTransform>("linearTransform"),
        InstanceMethod<&E::matrixProduct>("matrixProduct"),
        InstanceMethod<&E::releaseCiphertext>("releaseCiphertext"),
        InstanceMethod<&E::releasePlaintext>("releasePlaintext"),
        InstanceMethod<&E::readyCiphertext>("readyCiphertext"),
        InstanceMethod<&E::drain>("drain"),
        InstanceMethod<&E::cancel>("cancel"),
        InstanceMethod<&E::counters>("counters"),
        InstanceMethod<&E::memory>("memory"),
        InstanceMethod<&E::trim>("trim"),
        InstanceMethod<&E::close>("close"),
        InstanceMethod<&E::exportCiphertext>("exportCiphertext"),
        InstanceMethod<&E::importCiphertext>("importCiphertext"),
        InstanceMethod<&E::loadKey>("loadKey"),
        InstanceMethod<&E::loadEncapsulationKey>("loadEncapsulationKey"),
        InstanceMethod<&E::encapsulationLevel>("encapsulationLevel"),
        InstanceMethod<&E::unloadKeys>("unloadKeys"),
        InstanceMethod<&E::keyLevels>("keyLevels"),
        InstanceMethod<&E::generateSecretKey>("generateSecretKey"),
        InstanceMethod<&E::importSecretKey>("importSecretKey"),
        InstanceMethod<&E::exportSecretKey>("exportSecretKey"),
        InstanceMethod<&E::releaseSecretKey>("releaseSecretKey"),
        InstanceMethod<&E::generatePublicKey>("generatePublicKey"),
        InstanceMethod<&E::importPublicKey>("importPublicKey"),
        InstanceMethod<&E::releasePublicKey>("releasePublicKey"),
        InstanceMethod<&E::generateKey>("generateKey"),
        InstanceMethod<&E::generateEncapsulationKey>("generateEncapsulationKey"),
        InstanceMethod<&E::encryptSymmetric>("encryptSymmetric"),
        InstanceMethod<&E::encryptPublic>("encryptPublic"),
        InstanceMethod<&E::decrypt>("decrypt"),
    });
}

EngineObject::EngineObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineObject>(info) {
    const auto env = info.Env();
    guarded(env, [&] {
        if (!info[0].IsObject() || !info[1].IsObject()) badArgument(env, "Engine", "a specification and options");
        const auto spec = info[0].As<Napi::Object>();
        const auto options = info[1].As<Napi::Object>();
        auto core = std::make_shared<Core>();
        core->pool = MemoryPool::create();
        core->context = Context::create(specOf(spec), core->pool);
        core->ephemeralSpecials = spec.Get("ephemeralSpecials").ToNumber().Uint32Value();
        if (core->ephemeralSpecials == 0 || core->ephemeralSpecials > core->context->specialLimbs())
            badArgument(env, "ephemeralSpecials", "1 to the number of special primes");
        core->encoder = std::make_unique<Encoder>(core->context);
        SchedulerOptions scheduling;
        scheduling.threads = options.Get("threads").ToNumber().Uint32Value();
        scheduling.pool = core->pool;
        scheduling.ceilingBytes = static_cast<size_t>(options.Get("ceilingBytes").ToNumber().DoubleValue());
        core->scheduler = std::make_unique<Scheduler>(scheduling);
        core_ = std::move(core);
        completions_ = std::make_shared<Completions>(env);
    });
}

EngineObject::~EngineObject() {
    if (core_) core_->scheduler->shutdown();  // callbacks reach completions_ until here
}

std::shared_ptr<EngineObject::Core> EngineObject::open(Napi::Env env) const {
    if (!core_) throw toJavaScript(env, "Disposed", "the engine was closed before");
    return core_;
}

KeyPointer EngineObject::findKey(uint32_t element) const {
    const auto found = keys_.find(element);
    return found == keys_.end() ? nullptr : found->second;
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
        std::thread([core, completions = completions_, ticket = ticket] {
            core->scheduler->drain();
            completions->settle(ticket, core->failure.take());
        }).detach();
        return result;
    });
}

Napi::Value EngineObject::cancel(const Napi::CallbackInfo& info) {
    const size_t count = open(info.Env())->scheduler->cancelAll(std::make_exception_ptr(Cancelled()));
    return Napi::Number::New(info.Env(), static_cast<double>(count));
}

Napi::Value EngineObject::counters(const Napi::CallbackInfo& info) {
    const auto counters = open(info.Env())->scheduler->counters();
    auto out = Napi::Object::New(info.Env());
    out.Set("queued", static_cast<double>(counters.queued));
    out.Set("running", static_cast<double>(counters.running));
    out.Set("done", static_cast<double>(counters.done));
    out.Set("failed", static_cast<double>(counters.failed));
    return out;
}

Napi::Value EngineObject::memory(const Napi::CallbackInfo& info) {
    const auto counters = open(info.Env())->pool->counters();
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

Napi::Value EngineObject::close(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    auto [result, ticket] = completions_->open(env);
    keys_.clear();
    encapsulationKey_.reset();
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
