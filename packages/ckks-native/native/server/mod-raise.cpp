#include "mod-raise.h"

#include <string>

#include "evaluator.h"
#include "evaluator/operands.h"

namespace heml {

Ciphertext modRaise(const Ciphertext& a, const EncapsulationKey& key, unsigned level, Executor& executor) {
    requireDegreeOne(a, "modRaise");
    if (a.level() != 0) throw LevelError("modRaise starts at level 0, got " + std::to_string(a.level()));
    if (level == 0 || level > key.level()) {
        throw LevelError("modRaise with this key reaches levels 1 to " + std::to_string(key.level()) + ", got " +
                         std::to_string(level));
    }
    const Ciphertext sparse = applyGalois(changeContext(a, key.toSparse.context(), executor), key.toSparse, executor);
    const Ciphertext raised = modRaise(changeContext(sparse, a.context(), executor), level, executor);
    return applyGalois(raised, key.toDense, executor);
}

}  // namespace heml
