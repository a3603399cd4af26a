// Many weighted sums of the same ciphertexts at once: the heart of convolution in the throughput packing. One limb of
// one polynomial at a time, in blocks of coefficients, so that a block of all inputs is read from memory once and serves
// every row from the cache.
#include "server/evaluator.h"
#include "operands.h"

namespace heml {

std::vector<Ciphertext> matrixProduct(const std::vector<const Ciphertext*>& inputs, const std::vector<int64_t>& weights,
                                      size_t rows, Executor& executor) {
    if (inputs.empty() || rows == 0) throw InvalidArgumentError("a matrix product needs inputs and rows");
    const size_t columns = inputs.size();
    if (weights.size() != rows * columns) {
        throw InvalidArgumentError("expected " + std::to_string(rows) + " x " + std::to_string(columns) + " weights, got " +
                                   std::to_string(weights.size()));
    }
    for (const Ciphertext* input : inputs) {
        requireSame(*inputs[0], *input);
        requireDegreeOne(*input, "matrixProduct");
    }
    const Context& context = *inputs[0]->context();
    const size_t limbs = inputs[0]->limbs();
    std::vector<Ciphertext> out;
    for (size_t r = 0; r < rows; ++r) out.emplace_back(inputs[0]->context(), inputs[0]->level(), 1);

    const size_t parts = 4;   // few limbs at the lowest levels: cut each, too
    const size_t part = context.ringDegree() / parts;
    executor.parallelFor(limbs * 2 * parts, [&](size_t begin, size_t end) {
        std::vector<uint64_t> reduced(weights.size());
        std::vector<const uint64_t*> sources(columns);
        std::vector<uint64_t*> targets(rows);
        size_t reducedFor = limbs;
        for (size_t task = begin; task < end; ++task) {
            const size_t i = task / (2 * parts);
            const unsigned poly = task / parts % 2;
            if (reducedFor != i) {
                for (size_t w = 0; w < weights.size(); ++w) reduced[w] = reduceSigned(weights[w], context.modulus(i));
                reducedFor = i;
            }
            for (size_t c = 0; c < columns; ++c) sources[c] = inputs[c]->limb(poly, i);
            for (size_t r = 0; r < rows; ++r) targets[r] = out[r].limb(poly, i);
            const size_t first = task % parts * part;
            context.kernels().matrixProduct(
                {targets.data(), sources.data(), reduced.data(), columns, rows, columns, false, first, first + part},
                context.modulus(i));
        }
    });
    return out;
}

}  // namespace heml
