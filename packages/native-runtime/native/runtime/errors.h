// Typed errors of the engine. The code string is the contract: the glue maps it to the TypeScript error of that name.
// A message says what was wanted, what was got, and what to do.
#pragma once

#include <stdexcept>
#include <string>

namespace heml {

class Error : public std::runtime_error {
public:
    Error(const char* code, const std::string& message) : std::runtime_error(message), code_(code) {}
    const char* code() const noexcept { return code_; }

private:
    const char* code_;
};

#define HEML_ERROR_TYPE(Name, codeString)                                         \
    class Name : public Error {                                                   \
    public:                                                                       \
        explicit Name(const std::string& message) : Error(codeString, message) {} \
    }

HEML_ERROR_TYPE(LevelError, "Level");                          // wrong or exhausted level
HEML_ERROR_TYPE(DegreeError, "Degree");                        // degree 2 where 1 is wanted, product of degrees > 2
HEML_ERROR_TYPE(ParameterMismatchError, "ParameterMismatch");  // operands of different contexts
HEML_ERROR_TYPE(InvalidArgumentError, "InvalidArgument");
HEML_ERROR_TYPE(FormatError, "Format");                        // bytes that are not what they claim
HEML_ERROR_TYPE(KeyError, "Key");                              // a key is missing, or made for another element or level
HEML_ERROR_TYPE(MemoryError, "Memory");

#undef HEML_ERROR_TYPE

}  // namespace heml
