#include "program.h"

#include <algorithm>
#include <cstring>

#include "runtime/errors.h"

namespace heml::f32 {

namespace {

constexpr bool hasTwo(Operation operation) { return operation <= Operation::Mul; }

}  // namespace

void Program::check(const std::string& name) const {
    if (instructions.size() > MOST)
        throw InvalidArgumentError(name + ": expected at most " + std::to_string(MOST) + " instructions, got " +
                                   std::to_string(instructions.size()));
    for (size_t k = 0; k < instructions.size(); ++k) {
        const auto& [operation, a, b, constant] = instructions[k];
        const std::string where = name + ": instruction " + std::to_string(k) + ": ";
        const auto code = static_cast<uint32_t>(operation);
        if (code >= OPERATIONS)
            throw InvalidArgumentError(where + "expected an operation below " + std::to_string(OPERATIONS) + ", got " +
                                       std::to_string(code));
        const size_t largest = hasTwo(operation) ? std::max(a, b) : a;
        if (largest >= INPUTS + k)
            throw InvalidArgumentError(where + "expected registers below " + std::to_string(INPUTS + k) + ", got " +
                                       std::to_string(largest));
    }
    if (output >= registers())
        throw InvalidArgumentError(name + ": output: expected a register below " + std::to_string(registers()) + ", got " +
                                   std::to_string(output));
}

ProgramRunner::ProgramRunner(const Program& program, const Loops& loops, float* scratch)
    : program_(program),
      loops_(loops),
      scratch_(scratch),
      values_(program.registers()),
      adjoints_(program.registers()),
      needed_(program.registers()) {
    // from the last to the first: what a needed register is made of comes before it
    for (size_t k = program.instructions.size(); k-- > 0;) {
        const auto& [operation, a, b, constant] = program.instructions[k];
        const bool product = operation == Operation::Mul || operation == Operation::Square;
        if (!product && !needed_[Program::INPUTS + k]) continue;
        needed_[a] = true;
        if (hasTwo(operation)) needed_[b] = true;
    }
}

void ProgramRunner::run(size_t k, size_t count) {
    const auto& [operation, a, b, constant] = program_.instructions[k];
    const size_t reg = Program::INPUTS + k;
    loops_.apply(operation, values_[a], hasTwo(operation) ? values_[b] : nullptr, constant, const_cast<float*>(values_[reg]),
                 count);
}

const float* ProgramRunner::forward(const float* x, const float* y, float* out, size_t count) {
    values_[0] = x;
    values_[1] = y;
    for (size_t k = 0; k < program_.instructions.size(); ++k) {
        const size_t reg = Program::INPUTS + k;
        values_[reg] = out != nullptr && reg == program_.output ? out : tile(reg);
        run(k, count);
    }
    const float* result = values_[program_.output];
    if (out == nullptr || result == out) return result;
    std::memcpy(out, result, count * sizeof(float));
    return out;
}

void ProgramRunner::prepare(const float* x, const float* y, size_t count) {
    values_[0] = x;
    values_[1] = y;
    for (size_t k = 0; k < program_.instructions.size(); ++k) {
        const size_t reg = Program::INPUTS + k;
        values_[reg] = tile(reg);
        if (needed_[reg]) run(k, count);
    }
}

std::array<const float*, 2> ProgramRunner::backward(const float* gradient, size_t count) {
    std::fill(adjoints_.begin(), adjoints_.end(), nullptr);
    adjoints_[program_.output] = gradient;
    for (size_t k = program_.instructions.size(); k-- > 0;) {
        if (const float* reached = adjoints_[Program::INPUTS + k]) pullBack(program_.instructions[k], reached, count);
    }
    return {adjoints_[0], adjoints_[1]};
}

void ProgramRunner::pullBack(const Instruction& instruction, const float* gradient, size_t count) {
    const auto& [operation, a, b, constant] = instruction;
    switch (operation) {
        case Operation::Square:
            addProduct(a, gradient, values_[a], count);
            return addProduct(a, gradient, values_[a], count);
        case Operation::Scale:
            return addMultiple(a, gradient, constant, count);
        case Operation::AddConstant:
            return addMultiple(a, gradient, 1, count);
        case Operation::Mul:
            addProduct(a, gradient, values_[b], count);
            return addProduct(b, gradient, values_[a], count);
        case Operation::Add:
        case Operation::Sub:
            addMultiple(a, gradient, 1, count);
            return addMultiple(b, gradient, operation == Operation::Add ? 1.0f : -1.0f, count);
    }
}

void ProgramRunner::addMultiple(size_t reg, const float* gradient, float factor, size_t count) {
    const float* before = adjoints_[reg];
    if (before == nullptr && factor == 1) {
        adjoints_[reg] = gradient;   // shared: nobody changes an adjoint that has been handed on
        return;
    }
    float* to = adjoint(reg);
    if (before != nullptr) {
        loops_.addMultiple(before, gradient, factor, to, count);
    } else {
        loops_.apply(Operation::Scale, gradient, nullptr, factor, to, count);
    }
    adjoints_[reg] = to;
}

void ProgramRunner::addProduct(size_t reg, const float* gradient, const float* value, size_t count) {
    const float* before = adjoints_[reg];
    float* to = adjoint(reg);
    if (before != nullptr) {
        loops_.addProduct(before, gradient, value, to, count);
    } else {
        loops_.apply(Operation::Mul, gradient, value, 0, to, count);
    }
    adjoints_[reg] = to;
}

}  // namespace heml::f32
