#include "shake.h"

#include <cerrno>
#include <string>
#include <cstring>

#include <sys/random.h>

#include "runtime/errors.h"

namespace heml {

namespace {

void exclusiveOrByte(uint64_t* state, size_t position, uint8_t byte) {
    state[position / 8] ^= uint64_t{byte} << (8 * (position % 8));
}

}  // namespace

Shake::~Shake() { explicit_bzero(state_, sizeof state_); }

Shake& Shake::absorb(const void* bytes, size_t count) {
    if (squeezing_) throw InvalidArgumentError("Shake: absorb after squeeze");
    const auto* input = static_cast<const uint8_t*>(bytes);
    for (size_t i = 0; i < count; ++i) {
        exclusiveOrByte(state_, position_, input[i]);
        if (++position_ == rate_) {
            keccakPermute(state_, rounds_);
            position_ = 0;
        }
    }
    return *this;
}

void Shake::squeeze(void* bytes, size_t count) {
    if (!squeezing_) {
        exclusiveOrByte(state_, position_, 0x1F);
        exclusiveOrByte(state_, rate_ - 1, 0x80);
        squeezing_ = true;
        position_ = rate_;
    }
    auto* output = static_cast<uint8_t*>(bytes);
    for (size_t i = 0; i < count; ++i) {
        if (position_ == rate_) {
            keccakPermute(state_, rounds_);
            position_ = 0;
        }
        output[i] = static_cast<uint8_t>(state_[position_ / 8] >> (8 * (position_ % 8)));
        ++position_;
    }
}

Seed randomSeed() {
    Seed seed;
    size_t have = 0;
    while (have < seed.size()) {
        const ssize_t got = getrandom(seed.data() + have, seed.size() - have, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) throw Error("Random", "the operating system gave no random bytes: " + std::string(std::strerror(errno)));
        have += static_cast<size_t>(got);
    }
    return seed;
}

Seed deriveSeed(const Seed& parent, const char* label, uint64_t number) {
    uint8_t bytes[8];
    for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
    Seed child;
    Shake(Shake::RATE_256)
        .absorb(parent.data(), parent.size())
        .absorb(label, std::strlen(label) + 1)
        .absorb(bytes, sizeof bytes)
        .squeeze(child.data(), child.size());
    return child;
}

}  // namespace heml
