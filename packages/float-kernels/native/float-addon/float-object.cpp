#include "float-object.h"

#include <cstring>
#include <thread>

#include "float-pins.h"

namespace heml::addon {

namespace {

// batch, inChannels, height, width, outChannels, kernel, stride, padding, groups: twelve numbers.
f32::ConvShape shapeOf(const Napi::CallbackInfo& info) {
    const auto words = wordsOf(info, 0, "shape");
    if (words.ElementLength() != 12) badArgument(info.Env(), "shape", "12 numbers");
    const uint32_t* w = words.Data();
    f32::ConvShape shape{w[0], w[1], w[2], w[3], w[4], {w[5], w[6]}, {w[7], w[8]}, {w[9], w[10]}, w[11]};
    shape.check();
    return shape;
}

const f32::Kernels* kernelsOf(const Napi::CallbackInfo& info) {
    const f32::KernelList all = f32::supportedKernels();
    if (info[1].IsUndefined()) return *(all.end() - 1);
    const std::string name = info[1].ToString();
    if (const f32::Kernels* found = f32::findKernels(name.c_str())) return found;
    std::string names;
    for (const f32::Kernels* kernels : all) names += std::string(names.empty() ? "" : ", ") + kernels->name;
    throw InvalidArgumentError("kernel: expected one of " + names + " on this processor, got \"" + name + "\"");
}

}  // namespace

Napi::Function FloatObject::define(Napi::Env env) {
    using F = FloatObject;
    return DefineClass(env, "FloatKernels",
                       {
                           InstanceAccessor<&F::kernel>("kernel"),
                           InstanceAccessor<&F::threads>("threads"),
                           InstanceMethod<&F::gemm>("gemm"),
                           InstanceMethod<&F::conv2d>("conv2d"),
                           InstanceMethod<&F::conv2dBackwardInput>("conv2dBackwardInput"),
                           InstanceMethod<&F::conv2dBackwardWeight>("conv2dBackwardWeight"),
                           InstanceMethod<&F::neurons>("neurons"),
                           InstanceMethod<&F::neuronsBackward>("neuronsBackward"),
                           InstanceMethod<&F::channelMoments>("channelMoments"),
                           InstanceMethod<&F::scaleChannels>("scaleChannels"),
                           InstanceMethod<&F::channelSums>("channelSums"),
                           InstanceMethod<&F::normalizationBackward>("normalizationBackward"),
                           InstanceMethod<&F::averagePool>("averagePool"),
                           InstanceMethod<&F::averagePoolBackward>("averagePoolBackward"),
                           InstanceMethod<&F::maxPool>("maxPool"),
                           InstanceMethod<&F::maxPoolBackward>("maxPoolBackward"),
                           InstanceMethod<&F::close>("close"),
                       });
}

FloatObject::FloatObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<FloatObject>(info) {
    const auto env = info.Env();
    guarded(env, [&] {
        auto core = std::make_shared<Core>();
        core->kernels = kernelsOf(info);
        core->pool = MemoryPool::create();
        SchedulerOptions options;
        options.threads = unsignedOf(info, 0, "threads");
        core->scheduler = std::make_unique<Scheduler>(options);
        core_ = std::move(core);
        completions_ = std::make_shared<Completions>(env);
    });
}

FloatObject::~FloatObject() {
    if (core_) core_->scheduler->shutdown();  // callbacks reach completions_ until here
}

std::shared_ptr<FloatObject::Core> FloatObject::open(Napi::Env env) const {
    if (!core_) throw toJavaScript(env, "Disposed", "the float kernels were disposed of before");
    return core_;
}

Napi::Value FloatObject::kernel(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), open(info.Env())->kernels->name);
}

Napi::Value FloatObject::threads(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), open(info.Env())->scheduler->width());
}

Napi::Value FloatObject::gemm(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        f32::GemmJob job{};
        job.m = unsignedOf(info, 0, "m");
        job.n = unsignedOf(info, 1, "n");
        job.k = unsignedOf(info, 2, "k");
        auto pins = std::make_shared<Pins>();
        job.a = pins->add(info, 3, "a", job.m * job.k);
        job.b = pins->add(info, 4, "b", job.k * job.n);
        job.c = pins->add(info, 5, "c", job.m * job.n);
        job.transposeA = info[6].ToBoolean();
        job.transposeB = info[7].ToBoolean();
        job.alpha = static_cast<float>(numberOf(info, 8, "alpha"));
        job.beta = static_cast<float>(numberOf(info, 9, "beta"));
        return promise(env, std::move(pins), [job](const f32::Runtime& runtime) { f32::gemm(job, runtime); });
    });
}

Napi::Value FloatObject::conv2d(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const auto shape = shapeOf(info);
        auto pins = std::make_shared<Pins>();
        const float* input = pins->add(info, 1, "input", shape.inputSize());
        const float* weight = pins->add(info, 2, "weight", shape.weightSize());
        const float* bias = pins->addOptional(info, 3, "bias", shape.outChannels);
        float* output = pins->add(info, 4, "output", shape.outputSize());
        return promise(env, std::move(pins),
                       [=](const f32::Runtime& runtime) { f32::convForward(shape, input, weight, bias, output, runtime); });
    });
}

Napi::Value FloatObject::conv2dBackwardInput(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const auto shape = shapeOf(info);
        auto pins = std::make_shared<Pins>();
        const float* gradient = pins->add(info, 1, "outputGradient", shape.outputSize());
        const float* weight = pins->add(info, 2, "weight", shape.weightSize());
        float* inputGradient = pins->add(info, 3, "inputGradient", shape.inputSize());
        return promise(env, std::move(pins), [=](const f32::Runtime& runtime) {
            f32::convBackwardInput(shape, gradient, weight, inputGradient, runtime);
        });
    });
}

Napi::Value FloatObject::conv2dBackwardWeight(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const auto shape = shapeOf(info);
        auto pins = std::make_shared<Pins>();
        const float* input = pins->add(info, 1, "input", shape.inputSize());
        const float* gradient = pins->add(info, 2, "outputGradient", shape.outputSize());
        float* weightGradient = pins->add(info, 3, "weightGradient", shape.weightSize());
        float* biasGradient = pins->addOptional(info, 4, "biasGradient", shape.outChannels);
        return promise(env, std::move(pins), [=](const f32::Runtime& runtime) {
            f32::convBackwardWeight(shape, input, gradient, weightGradient, biasGradient, runtime);
        });
    });
}

Napi::Value FloatObject::close(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    auto [result, ticket] = completions_->open(env);
    if (auto core = std::move(core_)) {
        // queued jobs are finished; waiting for them blocks, so a thread of its own does it
        std::thread([core = std::move(core), completions = completions_, ticket = ticket]() mutable {
            core->scheduler->drain();
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
