#pragma once

#include "runtime/errors.h"

namespace heml::addon {

class Cancelled : public Error {
public:
    Cancelled() : Error("Cancelled", "the operation was cancelled before it started") {}
};

}  // namespace heml::addon
