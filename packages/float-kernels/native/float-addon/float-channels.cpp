// Glue of the jobs of normalisation and pooling.
#include "float-object.h"
#include "float-pins.h"
#include "float/channels.h"
#include "float/pool.h"

namespace heml::addon {

namespace {

f32::ChannelShape channelShapeOf(const Napi::CallbackInfo& info) {
    const f32::ChannelShape shape{unsignedOf(info, 0, "images"), unsignedOf(info, 1, "channels"),
                                  unsignedOf(info, 2, "positions")};
    shape.check();
    return shape;
}

f32::PoolShape poolShapeOf(const Napi::CallbackInfo& info) {
    const f32::PoolShape shape{unsignedOf(info, 0, "planes"), unsignedOf(info, 1, "height"), unsignedOf(info, 2, "width"),
                               unsignedOf(info, 3, "kernel"), unsignedOf(info, 4, "stride")};
    shape.check();
    return shape;
}

}  // namespace

Napi::Value FloatObject::channelMoments(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const auto shape = channelShapeOf(info);
        auto pins = std::make_shared<Pins>();
        const float* input = pins->add(info, 3, "input", shape.size());
        double* mean = pins->addDoubles(info, 4, "mean", shape.channels);
        double* variance = pins->addDoubles(info, 5, "variance", shape.channels);
        return promise(env, std::move(pins),
                       [=](const f32::Runtime& runtime) { f32::channelMoments(shape, input, mean, variance, runtime); });
    });
}

Napi::Value FloatObject::scaleChannels(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const auto shape = channelShapeOf(info);
        auto pins = std::make_shared<Pins>();
        const float* input = pins->add(info, 3, "input", shape.size());
        const float* scale = pins->add(info, 4, "scale", shape.channels);
        const float* shift = pins->add(info, 5, "shift", shape.channels);
        float* output = pins->add(info, 6, "output", shape.size());
        return promise(env, std::move(pins),
                       [=](const f32::Runtime& runtime) { f32::scaleChannels(shape, input, scale, shift, output, runtime); });
    });
}

Napi::Value FloatObject::channelSums(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const auto shape = channelShapeOf(info);
        auto pins = std::make_shared<Pins>();
        const float* gradient = pins->add(info, 3, "gradient", shape.size());
        const float* input = pins->add(info, 4, "input", shape.size());
        double* plain = pins->addDoubles(info, 5, "plain", shape.channels);
        double* weighted = pins->addDoubles(info, 6, "weighted", shape.channels);
        return promise(env, std::move(pins),
                       [=](const f32::Runtime& runtime) { f32::channelSums(shape, gradient, input, plain, weighted, runtime); });
    });
}

Napi::Value FloatObject::normalizationBackward(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const auto shape = channelShapeOf(info);
        auto pins = std::make_shared<Pins>();
        const float* gradient = pins->add(info, 3, "gradient", shape.size());
        const float* input = pins->add(info, 4, "input", shape.size());
        const f32::ChannelGradients channels{
            pins->addDoubles(info, 5, "factor", shape.channels), pins->addDoubles(info, 6, "average", shape.channels),
            pins->addDoubles(info, 7, "centre", shape.channels), pins->addDoubles(info, 8, "slope", shape.channels)};
        float* inputGradient = pins->add(info, 9, "inputGradient", shape.size());
        return promise(env, std::move(pins), [=](const f32::Runtime& runtime) {
            f32::normalizationBackward(shape, gradient, input, channels, inputGradient, runtime);
        });
    });
}

Napi::Value FloatObject::averagePool(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const auto shape = poolShapeOf(info);
        auto pins = std::make_shared<Pins>();
        const float* input = pins->add(info, 5, "input", shape.inputSize());
        float* output = pins->add(info, 6, "output", shape.outputSize());
        return promise(env, std::move(pins),
                       [=](const f32::Runtime& runtime) { f32::averagePool(shape, input, output, runtime); });
    });
}

Napi::Value FloatObject::averagePoolBackward(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const auto shape = poolShapeOf(info);
        auto pins = std::make_shared<Pins>();
        const float* outputGradient = pins->add(info, 5, "outputGradient", shape.outputSize());
        float* inputGradient = pins->add(info, 6, "inputGradient", shape.inputSize());
        return promise(env, std::move(pins), [=](const f32::Runtime& runtime) {
            f32::averagePoolBackward(shape, outputGradient, inputGradient, runtime);
        });
    });
}

Napi::Value FloatObject::maxPool(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const auto shape = poolShapeOf(info);
        auto pins = std::make_shared<Pins>();
        const float* input = pins->add(info, 5, "input", shape.inputSize());
        float* output = pins->add(info, 6, "output", shape.outputSize());
        uint32_t* winners = pins->addWords(info, 7, "winners", shape.outputSize());
        return promise(env, std::move(pins),
                       [=](const f32::Runtime& runtime) { f32::maxPool(shape, input, output, winners, runtime); });
    });
}

Napi::Value FloatObject::maxPoolBackward(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    return guarded(env, [&] {
        const auto shape = poolShapeOf(info);
        auto pins = std::make_shared<Pins>();
        const float* outputGradient = pins->add(info, 5, "outputGradient", shape.outputSize());
        const uint32_t* winners = pins->addWords(info, 6, "winners", shape.outputSize());
        float* inputGradient = pins->add(info, 7, "inputGradient", shape.inputSize());
        return promise(env, std::move(pins), [=](const f32::Runtime& runtime) {
            f32::maxPoolBackward(shape, outputGradient, winners, inputGradient, runtime);
        });
    });
}

}  // namespace heml::addon
