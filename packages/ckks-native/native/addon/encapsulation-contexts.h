// The contexts of modRaise's keys beside the main one, each made on first use, by whichever thread comes first.
#pragma once

#include <memory>
#include <mutex>

#include "scheme/encapsulation-key.h"

namespace heml::addon {

class LazyEncapsulationContexts {
public:
    // Before anything else: how many special primes the first switch uses.
    void start(std::shared_ptr<const Context> main, size_t ephemeralSpecials) {
        main_ = std::move(main);
        ephemeralSpecials_ = ephemeralSpecials;
    }

    const std::shared_ptr<const Context>& ephemeral() {
        std::call_once(ephemeralOnce_, [this] { ephemeral_ = ephemeralContext(*main_, ephemeralSpecials_); });
        return ephemeral_;
    }
    const std::shared_ptr<const Context>& raising() {
        std::call_once(raisingOnce_, [this] { raising_ = raisingContext(*main_); });
        return raising_;
    }

private:
    std::shared_ptr<const Context> main_, ephemeral_, raising_;
    size_t ephemeralSpecials_ = 0;
    std::once_flag ephemeralOnce_, raisingOnce_;
};

}  // namespace heml::addon
