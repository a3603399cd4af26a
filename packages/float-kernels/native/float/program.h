// Recorded recurrences: straight-line programs over two inputs, run on tiles of values forwards and backwards. The recurrence
// itself (LIF, QIF, its reset) is data that comes from outside; here are only the rules of running one.
//
// Forwards every operation rounds to f32. Backwards the sweep goes from the last instruction to the first; an adjoint's first
// contribution is stored, every later one is added in double and rounded to f32.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "loops.h"

namespace heml::f32 {

constexpr size_t TILE = 512;                   // values that a program works on at a time: a register is 2 KB
constexpr size_t TILE_STRIDE = TILE + 16;  // between tiles in memory; not a power of two, or stores would seem to meet loads

struct Instruction {
    Operation operation;
    uint32_t a, b;  // registers; b is ignored where the operation has one operand
    float constant;  // of Scale and AddConstant
};

// Registers 0 and 1 are the inputs, then one for every instruction.
struct Program {
    static constexpr size_t INPUTS = 2, MOST = 64;
    std::vector<Instruction> instructions;
    uint32_t output;

    size_t registers() const { return INPUTS + instructions.size(); }
    // Throws InvalidArgumentError: more than MOST instructions, an unknown operation, a register that holds nothing yet.
    void check(const std::string& name) const;
};

// Runs a checked program; remembers the registers of the last tile for the backward sweep. One thread.
class ProgramRunner {
public:
    static size_t scratchFloats(const Program& program) { return 2 * program.registers() * TILE_STRIDE; }

    // `scratch`: 64-byte aligned, scratchFloats of them; program, loops and scratch must outlive the runner.
    ProgramRunner(const Program& program, const Loops& loops, float* scratch);

    // The result for a tile of inputs: in `out`, which overlaps neither, or, where that is null, wherever it lies until the
    // next call.
    const float* forward(const float* x, const float* y, float* out, size_t count);

    // Before `backward` for the same inputs, instead of `forward` when the result is not wanted: computes only registers that
    // derivatives need.
    void prepare(const float* x, const float* y, size_t count);

    // From the gradient of the result, those of the inputs x and y; null stands for zeros. They may be the incoming array
    // itself and live until the next call.
    std::array<const float*, 2> backward(const float* gradient, size_t count);

private:
    float* tile(size_t i) const { return scratch_ + i * TILE_STRIDE; }
    float* adjoint(size_t reg) const { return tile(program_.registers() + reg); }
    void run(size_t instruction, size_t count);
    void pullBack(const Instruction& instruction, const float* gradient, size_t count);
    void addMultiple(size_t reg, const float* gradient, float factor, size_t count);
    void addProduct(size_t reg, const float* gradient, const float* value, size_t count);

    const Program& program_;
    const Loops& loops_;
    float* scratch_;
    std::vector<const float*> values_;  // of the registers
    std::vector<const float*> adjoints_;  // null: nothing has reached it
    std::vector<bool> needed_;  // registers that products on the way back read, and what those are made of
};

}  // namespace heml::f32
