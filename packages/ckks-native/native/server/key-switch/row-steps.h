// Transforms of rows one after the other, each of which asks for what follows it while it computes.
#pragma once

#include <vector>

#include "scheme/context.h"

namespace heml {

// Rows from `begin` on of a split limb, to `to`.
struct RowStep {
    uint64_t* to;
    const uint64_t* split;
    size_t begin;
    kernel::MemoryRun ahead[kernel::MAX_RUNS_AHEAD] = {};
};

class RowSteps {
public:
    void clear() { steps_.clear(); }
    void push(uint64_t* to, const uint64_t* split, size_t begin) { steps_.push_back({to, split, begin}); }
    size_t count() const { return steps_.size(); }

    // Runs of memory for the steps from `first` on to ask for, in turn; what is too much for them is left out.
    void ask(size_t first, const std::vector<kernel::MemoryRun>& runs);
    // Steps [first, last), `rows` entries each, all modulo one prime. next: what is transformed after the last of all steps.
    void run(const Context& context, size_t first, size_t last, size_t modulus, size_t rows, const kernel::NextRows& next) const;

private:
    std::vector<RowStep> steps_;
};

}  // namespace heml
