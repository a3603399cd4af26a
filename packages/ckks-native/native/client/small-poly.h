// A secret polynomial of small coefficients (an error, or the ternary of an encryption), kept as bytes and transformed one
// limb at a time where it is needed. Wiped when freed.
#pragma once

#include "scheme/context.h"
#include "sampler.h"

namespace heml {

class SmallPoly {
public:
    enum class Kind { Error, Ternary };

    SmallPoly(const Context& context, Kind kind, const Seed& seed, uint64_t domain)
        : context_(context), values_(context.pool().allocate(context.ringDegree(), MemoryKind::Scratch, true)) {
        const auto permute = keccakPermute8For(context.kernels().name);
        int8_t* values = reinterpret_cast<int8_t*>(values_.data());
        if (kind == Kind::Error) {
            sampleError(values, context.ringDegree(), seed, domain, permute);
        } else {
            sampleTernary(values, context.ringDegree(), seed, domain, permute);
        }
    }

    const int8_t* values() const { return reinterpret_cast<const int8_t*>(values_.data()); }

    // Modulo one prime, in evaluation order.
    void limb(uint64_t* out, size_t modulusIndex) const {
        reduceSmall(out, values(), context_.ringDegree(), context_.modulus(modulusIndex).value);
        context_.kernels().nttForward(out, out, context_.tables(modulusIndex));
    }

private:
    const Context& context_;
    Buffer values_;
};

}  // namespace heml
