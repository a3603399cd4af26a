#include "row-steps.h"

#include <algorithm>

namespace heml {

void RowSteps::ask(size_t first, const std::vector<kernel::MemoryRun>& runs) {
    const size_t steps = steps_.size() - first;
    const size_t most = std::min(runs.size(), steps * kernel::MAX_RUNS_AHEAD);
    for (size_t i = 0; i < most; ++i) steps_[first + i % steps].ahead[i / steps] = runs[i];
}

void RowSteps::run(const Context& context, size_t first, size_t last, size_t modulus, size_t rows,
                   const kernel::NextRows& next) const {
    for (size_t i = first; i < last; ++i) {
        const RowStep& step = steps_[i];
        kernel::NextRows after = next;
        if (i + 1 < steps_.size()) after = {steps_[i + 1].split, steps_[i + 1].begin};
        std::copy(std::begin(step.ahead), std::end(step.ahead), after.runs);
        context.kernels().nttForwardRows(step.to, step.split, context.tables(modulus), step.begin, step.begin + rows, after);
    }
}

}  // namespace heml
