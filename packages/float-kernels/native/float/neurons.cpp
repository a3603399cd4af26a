#include "neurons.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "scratch.h"
#include "share.h"

namespace heml::f32 {

size_t NeuronModel::steps() const { return checkedProduct(timeSteps, size); }
size_t NeuronModel::inputs() const { return checkedProduct(inputSteps, size); }

void NeuronModel::check() const {
    charge.check("charge");
    reset.check("reset");
    if (!std::isfinite(threshold)) throw InvalidArgumentError("threshold: expected a finite number");
    if (grid && !(std::isfinite(grid->step) && grid->step > 0 && grid->count >= 2 && grid->count <= 0x1p32 &&
                  std::fmod(grid->count, 2) == 0))
        throw InvalidArgumentError("grid: expected a positive step and an even number of points up to 2^32, got " +
                                   std::to_string(grid->step) + " and " + std::to_string(grid->count));
    if (timeSteps == 0) throw InvalidArgumentError("timeSteps: expected at least 1, got 0");
    if (inputSteps != 1 && inputSteps != timeSteps)
        throw InvalidArgumentError("inputSteps: expected 1 or " + std::to_string(timeSteps) + ", got " +
                                   std::to_string(inputSteps));
    static_cast<void>(steps());
}

namespace {

// Where a tile lies in an array over time.
struct Place {
    const NeuronModel& model;
    size_t begin, count;

    size_t at(size_t t) const { return t * model.size + begin; }
    bool still() const { return model.inputSteps == 1; }
    size_t inputAt(size_t t) const { return at(still() ? 0 : t); }

    // Asks for what the next tile will touch at the same step of an array (null: none). A tile is too short for the processor to
    // notice a stream by itself: without this the neurons wait for memory a third of the time. (Not inlined, gcc takes a function
    // that only prefetches for one without effect.)
    __attribute__((always_inline)) void prefetchNext(const float* values) const {
        constexpr size_t LINE = 16;
        if (values == nullptr) return;
        const size_t ahead = std::min(TILE, model.size - begin - count);
        for (size_t i = 0; i < ahead; i += LINE) __builtin_prefetch(values + count + i, 0, 2);
    }
};

// Runners and tiles of one thread, for either direction.
class Worker {
public:
    Worker(const NeuronModel& model, const Runtime& runtime, size_t tiles)
        : model_(model),
          loops_(*runtime.kernels.loops),
          scratch_(runtime.pool, ProgramRunner::scratchFloats(model.charge) + ProgramRunner::scratchFloats(model.reset) +
                                     (tiles + 1) * TILE_STRIDE),
          charge_(model.charge, loops_, scratch_.data()),
          reset_(model.reset, loops_, scratch_.data() + ProgramRunner::scratchFloats(model.charge)),
          tiles_(scratch_.data() + ProgramRunner::scratchFloats(model.charge) + ProgramRunner::scratchFloats(model.reset)) {
        std::memset(tiles_, 0, TILE * sizeof(float));
    }

protected:
    const float* zeros() const { return tiles_; }
    float* tile(size_t i) const { return tiles_ + (i + 1) * TILE_STRIDE; }
    float level() const { return static_cast<float>(model_.threshold); }

    const NeuronModel& model_;
    const Loops& loops_;
    Scratch scratch_;
    ProgramRunner charge_, reset_;
    float* tiles_;
};

class ForwardWorker : Worker {
public:
    ForwardWorker(const NeuronForwardJob& job, const Runtime& runtime) : Worker(job.model, runtime, 1), job_(job) {}

    void run(const Place& place) {
        const float* u = zeros();
        for (size_t t = 0; t < model_.timeSteps; ++t) {
            float* v = job_.charged ? job_.charged + place.at(t) : tile(0);
            float* spikes = job_.spikes + place.at(t);
            float* next = job_.membranePotentials + place.at(t);
            place.prefetchNext(spikes);
            place.prefetchNext(next);
            if (t == 0 || !place.still()) place.prefetchNext(job_.input + place.inputAt(t));
            charge_.forward(u, job_.input + place.inputAt(t), v, place.count);
            if (model_.grid) loops_.toGrid(*model_.grid, v, v, place.count);
            loops_.spikes(v, level(), spikes, place.count);
            u = reset_.forward(v, spikes, next, place.count);
        }
    }

private:
    const NeuronForwardJob& job_;
};

class BackwardWorker : Worker {
public:
    BackwardWorker(const NeuronBackwardJob& job, const Runtime& runtime)
        : Worker(job.model, runtime, FIRST_STEP + (sums(job.model) ? job.model.timeSteps : 0)), job_(job) {}

    void run(const Place& place) {
        const float* carried = zeros();  // gradient of u after the step
        for (size_t t = model_.timeSteps; t-- > 0;) {
            if (job_.membraneGradient) {
                loops_.addMultiple(carried, job_.membraneGradient + place.at(t), 1, tile(CARRIED), place.count);
                carried = tile(CARRIED);
            }
            carried = step(place, t, carried);
        }
        if (sums(model_)) sumSteps(place);
    }

private:
    enum : size_t { ROUNDED, SPIKES, SLOPES, TOTAL, CARRIED, FIRST_STEP };

    static bool sums(const NeuronModel& model) { return model.inputSteps != model.timeSteps; }
    const float* orZeros(const float* values) const { return values ? values : zeros(); }

    // Gradient of u before step t; that of the step's input goes to its place, or to a tile if the steps are summed.
    const float* step(const Place& place, size_t t, const float* carried) {
        const size_t count = place.count;
        const float* u = t == 0 ? zeros() : job_.membranePotentials + place.at(t - 1);
        const float* spikeGradient = job_.spikeGradient ? job_.spikeGradient + place.at(t) : nullptr;
        prefetchNext(place, t, u, spikeGradient);
        const float* exact = charge_.forward(u, job_.input + place.inputAt(t), nullptr, count);
        const float* v = exact;
        if (model_.grid) {
            loops_.toGrid(*model_.grid, exact, tile(ROUNDED), count);
            v = tile(ROUNDED);
        }
        loops_.spikes(v, level(), tile(SPIKES), count);
        loops_.slopes(job_.surrogate, model_.threshold, v, tile(SLOPES), count);
        reset_.prepare(v, tile(SPIKES), count);
        const auto [direct, through] = reset_.backward(carried, count);
        loops_.joinGradients(orZeros(direct), job_.detachReset ? zeros() : orZeros(through), orZeros(spikeGradient), tile(SLOPES),
                             tile(TOTAL), count);
        if (model_.grid) loops_.stopOutside(*model_.grid, job_.pull, exact, tile(TOTAL), count);
        const auto [before, input] = charge_.backward(tile(TOTAL), count);
        float* to = sums(model_) ? tile(FIRST_STEP + t) : job_.inputGradient + place.at(t);
        std::memcpy(to, orZeros(input), count * sizeof(float));
        return orZeros(before);
    }

    void prefetchNext(const Place& place, size_t t, const float* u, const float* spikeGradient) const {
        if (t != 0) place.prefetchNext(u);
        place.prefetchNext(spikeGradient);
        if (job_.membraneGradient) place.prefetchNext(job_.membraneGradient + place.at(t));
        if (t != 0 && place.still()) return;
        place.prefetchNext(job_.input + place.inputAt(t));
        place.prefetchNext(job_.inputGradient + place.inputAt(t));
    }

    void sumSteps(const Place& place) {
        float* to = job_.inputGradient + place.begin;
        const float* sum = zeros();
        for (size_t t = 0; t < model_.timeSteps; ++t) {
            loops_.addMultiple(sum, tile(FIRST_STEP + t), 1, to, place.count);
            sum = to;
        }
    }

    const NeuronBackwardJob& job_;
};

// Tiles of neurons, the first one shorter, so that all others begin at a cache line of `output`: vectors that straddle lines
// cost a fifth of the time. Arrays of one allocator mostly lie alike, so the other arrays profit too.
class Tiles {
public:
    Tiles(size_t size, const float* output) : size_(size) {
        constexpr size_t LINE = 64;
        const size_t past = reinterpret_cast<uintptr_t>(output) % LINE / sizeof(float);
        skip_ = past == 0 ? 0 : TILE - (LINE / sizeof(float) - past);
    }
    size_t count() const { return size_ == 0 ? 0 : (size_ + skip_ + TILE - 1) / TILE; }
    Place place(const NeuronModel& model, size_t i) const {
        const size_t begin = i == 0 ? 0 : i * TILE - skip_, end = std::min(size_, (i + 1) * TILE - skip_);
        return {model, begin, end - begin};
    }

private:
    size_t size_, skip_;  // skip: by how much the first tile is shorter
};

template <class SomeWorker, class Job>
void runTiles(const Job& job, const float* output, const Runtime& runtime) {
    const NeuronModel& model = job.model;
    const Tiles tiles(model.size, output);
    share(runtime, tiles.count(), model.steps(), [&](size_t begin, size_t end) {
        SomeWorker worker(job, runtime);
        for (size_t i = begin; i < end; ++i) worker.run(tiles.place(model, i));
    });
}

}  // namespace

void neuronsForward(const NeuronForwardJob& job, const Runtime& runtime) {
    job.model.check();
    runTiles<ForwardWorker>(job, job.spikes, runtime);
}

void NeuronBackwardJob::check() const {
    model.check();
    const auto& [kind, width, height] = surrogate;
    if (static_cast<uint32_t>(kind) >= SURROGATES || !(std::isfinite(width) && width > 0) || !std::isfinite(height))
        throw InvalidArgumentError("surrogate: expected a known kind, a positive width and a finite height");
    if (!(std::isfinite(pull) && pull >= 0))
        throw InvalidArgumentError("pull: expected a finite number from 0, got " + std::to_string(pull));
}

void neuronsBackward(const NeuronBackwardJob& job, const Runtime& runtime) {
    job.check();
    runTiles<BackwardWorker>(job, job.inputGradient, runtime);
}

}  // namespace heml::f32
