// From the engine's typed exceptions to JavaScript errors that carry the same `code`; TypeScript turns the code into the
// class of that name. Everything that reaches JavaScript goes through here, on the main thread.
#pragma once

#include <napi.h>

#include <exception>
#include <new>

#include "runtime/errors.h"

namespace heml::addon {

inline Napi::Error toJavaScript(Napi::Env env, const char* code, const std::string& message) {
    Napi::Error error = Napi::Error::New(env, message);
    error.Value().Set("code", Napi::String::New(env, code));
    return error;
}

inline Napi::Error toJavaScript(Napi::Env env, const std::exception_ptr& problem) {
    try {
        std::rethrow_exception(problem);
    } catch (const Napi::Error& error) {
        return error;
    } catch (const Error& error) {
        return toJavaScript(env, error.code(), error.what());
    } catch (const std::bad_alloc&) {
        return toJavaScript(env, "Memory", "the system has no more memory for this operation");
    } catch (const std::exception& error) {
        return toJavaScript(env, "Internal", error.what());
    } catch (...) {
        return toJavaScript(env, "Internal", "unknown error in the native engine");
    }
}

// Runs a body, turning exceptions of the engine into JavaScript ones.
template <typename Body>
auto guarded(Napi::Env env, Body&& body) -> decltype(body()) {
    try {
        return body();
    } catch (const Napi::Error&) {
        throw;
    } catch (...) {
        throw toJavaScript(env, std::current_exception());
    }
}

}  // namespace heml::addon
