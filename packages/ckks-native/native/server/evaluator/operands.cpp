#include "operands.h"

#include <string>

namespace heml {

namespace {

void requireContext(const Context& wanted, const std::shared_ptr<const Context>& got, const char* what) {
    if (!got) throw InvalidArgumentError(std::string("an empty ") + what + " was passed");
    if (!wanted.sameAs(*got)) {
        throw ParameterMismatchError(std::string("the ") + what + " belongs to other parameters than the ciphertext");
    }
}

void requireAtLeast(unsigned level, unsigned got, const char* what) {
    if (got >= level) return;
    throw LevelError(std::string("expected a ") + what + " of level " + std::to_string(level) + " or more, got " +
                     std::to_string(got));
}

}  // namespace

void requireCiphertext(const Ciphertext& a) {
    if (!a.context()) throw InvalidArgumentError("an empty ciphertext was passed");
}

void requireSame(const Ciphertext& a, const Ciphertext& b) {
    requireCiphertext(a);
    requireContext(*a.context(), b.context(), "other ciphertext");
    if (a.level() != b.level()) {
        throw LevelError("operands have levels " + std::to_string(a.level()) + " and " + std::to_string(b.level()) +
                         ": drop the higher one first");
    }
}

void requireDegreeOne(const Ciphertext& a, const char* operation) {
    requireCiphertext(a);
    if (a.degree() != 1) {
        throw DegreeError(std::string(operation) + " needs a ciphertext of degree 1, got " + std::to_string(a.degree()) +
                          ": relinearize first");
    }
}

void requirePlaintext(const Ciphertext& a, const Plaintext& b) {
    requireCiphertext(a);
    requireContext(*a.context(), b.context(), "plaintext");
    requireAtLeast(a.level(), b.level(), "plaintext");
}

void requireKey(const Ciphertext& a, const KeySwitchKey& key) {
    requireCiphertext(a);
    requireContext(*a.context(), key.context(), "key");
    requireAtLeast(a.level(), key.level(), "key");
}

uint64_t reduceSigned(__int128 value, const kernel::Modulus& modulus) {
    const __int128 rest = value % static_cast<__int128>(modulus.value);
    return static_cast<uint64_t>(rest < 0 ? rest + static_cast<__int128>(modulus.value) : rest);
}

}  // namespace heml
