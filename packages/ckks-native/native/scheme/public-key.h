// An encryption of zero for others to encrypt with: b = -a s + e and a, modulo the q limbs of a level, in evaluation
// order; a from a seed.
#pragma once

#include "context.h"
#include "poly.h"
#include "shake.h"

namespace heml {

class PublicKey {
public:
    PublicKey() = default;
    PublicKey(std::shared_ptr<const Context> context, unsigned level)
        : context_(std::move(context)),
          level_(level),
          b_(context_->pool(), context_->limbsAt(level), context_->ringDegree(), MemoryKind::Key),
          a_(context_->pool(), context_->limbsAt(level), context_->ringDegree(), MemoryKind::Key) {}

    const std::shared_ptr<const Context>& context() const { return context_; }
    unsigned level() const { return level_; }
    size_t limbs() const { return b_.limbs(); }
    size_t bytes() const { return b_.bytes() + a_.bytes(); }
    Poly& b() { return b_; }
    const Poly& b() const { return b_; }
    Poly& a() { return a_; }
    const Poly& a() const { return a_; }

    Seed seed{};                                     // what a was expanded from

private:
    std::shared_ptr<const Context> context_;
    unsigned level_ = 0;
    Poly b_, a_;
};

}  // namespace heml
