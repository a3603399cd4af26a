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

void requireRescalable(const Ciphertext& a) {
    if (a.level() == 0) throw LevelError("level 0 cannot be rescaled: refresh the ciphertext or raise maxLevel");
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

void requireRange(GaussianInteger scalar) {
    constexpr __int128 BOUND = static_cast<__int128>(1) << 120;
    if (scalar.re >= BOUND || scalar.re <= -BOUND || scalar.im >= BOUND || scalar.im <= -BOUND) {
        throw InvalidArgumentError("a scalar must be below 2^120 in absolute value");
    }
}

std::array<uint64_t, 2> residuesOf(const Context& context, size_t i, GaussianInteger scalar) {
    const kernel::Modulus& modulus = context.modulus(i);
    const uint64_t re = reduceSigned(scalar.re, modulus);
    if (scalar.im == 0) return {re, re};
    const uint64_t im = kernel::mulMod(reduceSigned(scalar.im, modulus), context.imaginaryUnit(i), modulus);
    return {kernel::addMod(re, im, modulus), kernel::subMod(re, im, modulus)};
}

uint64_t reduceSigned(__int128 value, const kernel::Modulus& modulus) {
    const __int128 rest = value % static_cast<__int128>(modulus.value);
    return static_cast<uint64_t>(rest < 0 ? rest + static_cast<__int128>(modulus.value) : rest);
}

}  // namespace heml
