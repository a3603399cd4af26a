#pragma once

#include "runtime/errors.h"

namespace heml::addon {

class Cancelled : public Error {
public:
    Cancelled() : Error("Cancelled", "an operation was cancelled while it waited for its turn") {}
};

}  // namespace heml::addon
