#include "mod-raise.h"

#include <string>

#include "evaluator.h"
#include "evaluator/operands.h"

namespace heml {

void requireRaisable(const Ciphertext& a, const EncapsulationKey& key, unsigned level, const char* operation) {
    requireDegreeOne(a, operation);
    if (a.level() != 0) throw LevelError(std::string(operation) + " starts at level 0, got " + std::to_string(a.level()));
    if (level == 0 || level > key.level()) {
        throw LevelError(std::string(operation) + " with this key reaches levels 1 to " + std::to_string(key.level()) + ", got " +
                         std::to_string(level));
    }
}

Ciphertext toSparse(const Ciphertext& a, const EncapsulationKey& key, Executor& executor) {
    return applyGalois(changeContext(a, key.toSparse.context(), executor), key.toSparse, executor);
}

Ciphertext modRaise(const Ciphertext& a, const EncapsulationKey& key, unsigned level, Executor& executor) {
    requireRaisable(a, key, level, "modRaise");
    const Ciphertext raised = modRaise(changeContext(toSparse(a, key, executor), a.context(), executor), level, executor);
    const KeySwitchKey& back = key.toDense.front();
    if (back.context()->sameAs(*a.context())) return applyGalois(raised, back, executor);
    return changeContext(applyGalois(changeContext(raised, back.context(), executor), back, executor), a.context(), executor);
}

}  // namespace heml
