// Promises settled from worker threads. One thread-safe function per engine carries all of them to the main thread; it
// keeps the process alive only while a promise is pending.
#pragma once

#include <napi.h>

#include <exception>
#include <functional>
#include <memory>

namespace heml::addon {

class Completions {
public:
    using Make = std::function<Napi::Value(Napi::Env)>;

    explicit Completions(Napi::Env env);
    ~Completions();
    Completions(const Completions&) = delete;
    Completions& operator=(const Completions&) = delete;

    struct Pending;

    // Main thread: a promise and the ticket that settles it. `make` builds the value on the main thread.
    std::pair<Napi::Promise, Pending*> open(Napi::Env env, Make make = {});
    // Any thread, exactly once per ticket.
    void settle(Pending* ticket, std::exception_ptr error);

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace heml::addon
