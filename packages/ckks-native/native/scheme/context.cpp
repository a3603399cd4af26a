#include "context.h"

#include <set>
#include <string>

#include "kernel/evaluation-order.h"
#include "prime.h"

namespace heml {

namespace {

constexpr uint64_t PRIME_BOUND = uint64_t{1} << kernel::MAX_PRIME_BITS;

void checkPrime(uint64_t p, unsigned logN, std::set<uint64_t>& seen) {
    const std::string name = std::to_string(p);
    if (p >= PRIME_BOUND) throw InvalidArgumentError("prime " + name + " is not below 2^48");
    if (p >> (kernel::MIN_PRIME_BITS - 1) == 0) throw InvalidArgumentError("prime " + name + " is below 2^19");
    if (p % (uint64_t{2} << logN) != 1) {
        throw InvalidArgumentError("prime " + name + " is not 1 modulo 2N for logN = " + std::to_string(logN));
    }
    if (!isPrime(p)) throw InvalidArgumentError(name + " is not a prime");
    if (!seen.insert(p).second) throw InvalidArgumentError("prime " + name + " occurs twice");
}

void check(const ParametersSpec& spec) {
    if (spec.logN < kernel::MIN_LOG_N || spec.logN > kernel::MAX_LOG_N) {
        throw InvalidArgumentError("logN must be 10 to 17, got " + std::to_string(spec.logN));
    }
    if (spec.levels.empty()) throw InvalidArgumentError("there must be at least the base level");
    std::set<uint64_t> seen;
    for (size_t level = 0; level < spec.levels.size(); ++level) {
        const auto& primes = spec.levels[level];
        if (primes.empty() || primes.size() > 2) {
            throw InvalidArgumentError("level " + std::to_string(level) + " must have 1 or 2 primes, got " +
                                       std::to_string(primes.size()));
        }
        for (uint64_t p : primes) checkPrime(p, spec.logN, seen);
    }
    for (uint64_t p : spec.special) checkPrime(p, spec.logN, seen);
    if (spec.special.empty() || spec.special.size() > kernel::MAX_CONVERTER_SOURCES) {
        throw InvalidArgumentError("there must be 1 to 64 special primes, got " + std::to_string(spec.special.size()));
    }
    if (spec.digitLimbs == 0 || spec.digitLimbs > kernel::MAX_CONVERTER_SOURCES) {
        throw InvalidArgumentError("digitLimbs must be 1 to 64, got " + std::to_string(spec.digitLimbs));
    }
}

}  // namespace

std::shared_ptr<const Context> Context::create(ParametersSpec spec, std::shared_ptr<MemoryPool> pool,
                                               const kernel::Kernels* kernels) {
    check(spec);
    if (!pool) throw InvalidArgumentError("a context needs a memory pool");
    return std::shared_ptr<const Context>(
        new Context(std::move(spec), std::move(pool), kernels ? *kernels : kernel::activeKernels(), nullptr));
}

std::shared_ptr<const Context> Context::sibling(ParametersSpec spec) const {
    check(spec);
    return std::shared_ptr<const Context>(new Context(std::move(spec), pool_, *kernels_, this));
}

Context::Context(ParametersSpec spec, std::shared_ptr<MemoryPool> pool, const kernel::Kernels& kernels, const Context* relative)
    : spec_(std::move(spec)), pool_(std::move(pool)), kernels_(&kernels) {
    for (const auto& primes : spec_.levels) {
        for (uint64_t p : primes) moduli_.push_back(kernel::Modulus::create(p));
        limbsAt_.push_back(moduli_.size());
    }
    std::vector<kernel::Modulus> q = moduli_;
    std::vector<kernel::Modulus> special;
    for (uint64_t p : spec_.special) special.push_back(kernel::Modulus::create(p));
    moduli_.insert(moduli_.end(), special.begin(), special.end());

    for (const auto& modulus : moduli_) {
        tables_.push_back(relative ? relative->tablesOf(modulus, spec_.logN) : nullptr);
        if (!tables_.back()) tables_.back() = std::make_shared<const kernel::NttTables>(modulus, static_cast<int>(spec_.logN));
        imaginaryUnit_.push_back(kernel::powMod(tables_.back()->root(), slots(), modulus));
    }
    for (const auto& modulus : q) {
        uint64_t product = 1;
        for (uint64_t p : spec_.special) product = kernel::mulMod(product, p % modulus.value, modulus);
        specialProduct_.push_back(product);
        specialInverse_.push_back(kernel::inverseMod(product, modulus));
    }
    modDown_ = &converter({{q.size(), special.size()}, q.size(), Times::minusInverse});
}

std::shared_ptr<const kernel::NttTables> Context::tablesOf(const kernel::Modulus& modulus, unsigned logN) const {
    if (logN != spec_.logN) return nullptr;
    for (size_t i = 0; i < moduli_.size(); ++i) {
        if (moduli_[i].value == modulus.value) return tables_[i];
    }
    return nullptr;
}

size_t Context::limbsAt(unsigned level) const {
    if (level >= limbsAt_.size()) {
        throw LevelError("levels are 0 to " + std::to_string(maxLevel()) + ", got " + std::to_string(level));
    }
    return limbsAt_[level];
}

uint32_t Context::galoisElement(int64_t steps) const {
    const int64_t half = static_cast<int64_t>(slots());
    uint64_t exponent = static_cast<uint64_t>((steps % half + half) % half);
    const uint64_t mask = 2 * ringDegree() - 1;
    uint64_t result = 1;
    for (uint64_t base = GALOIS_GENERATOR; exponent != 0; exponent >>= 1, base = base * base & mask) {
        if (exponent & 1) result = result * base & mask;
    }
    return static_cast<uint32_t>(result);
}

const kernel::AutomorphismTable& Context::automorphism(uint32_t element) const {
    if (element % 2 == 0 || element >= 2 * ringDegree()) {
        throw InvalidArgumentError("a Galois element is odd and below 2N = " + std::to_string(2 * ringDegree()) + ", got " +
                                   std::to_string(element));
    }
    std::lock_guard<std::mutex> lock(mutex_);
    auto& entry = automorphisms_[element];
    if (!entry) entry = std::make_unique<kernel::AutomorphismTable>(static_cast<int>(spec_.logN), element);
    return *entry;
}

// Targets: the first targetCount moduli that are not sources.
kernel::BaseConverter Context::makeConverter(const ConverterKey& key) const {
    const auto& [range, targetCount, times] = key;
    const auto at = [&](size_t i) { return moduli_.begin() + static_cast<std::ptrdiff_t>(i); };
    std::vector<kernel::Modulus> sources(at(range.first), at(range.first + range.second));
    std::vector<kernel::Modulus> targets(moduli_.begin(), at(range.first));
    targets.insert(targets.end(), at(range.first + range.second), moduli_.end());
    targets.erase(targets.begin() + static_cast<std::ptrdiff_t>(targetCount), targets.end());
    if (times == Times::one) return {std::move(sources), std::move(targets)};
    std::vector<uint64_t> factors;
    for (const kernel::Modulus& target : targets) {
        uint64_t product = target.value - 1;
        if (times == Times::minusInverse) {
            for (const kernel::Modulus& source : sources) product = kernel::mulMod(product, source.value % target.value, target);
        }
        factors.push_back(kernel::inverseMod(product, target));
    }
    return {std::move(sources), std::move(targets), factors};
}

const kernel::BaseConverter& Context::converter(const ConverterKey& key) const {
    std::lock_guard<std::mutex> lock(mutex_);
    auto& entry = converters_[key];
    if (!entry) entry = std::make_unique<kernel::BaseConverter>(makeConverter(key));
    return *entry;
}

const kernel::BaseConverter& Context::modUp(size_t begin, size_t size) const {
    return converter({{begin, size}, moduli() - size, Times::one});
}

const kernel::BaseConverter& Context::rescaleConverter(unsigned level) const {
    return converter({primesOf(level), limbsAt(level - 1), Times::one});
}

const kernel::BaseConverter& Context::negatedRescaleConverter(unsigned level) const {
    return converter({primesOf(level), limbsAt(level - 1), Times::minusOne});
}

bool Context::sameAs(const Context& other) const {
    return this == &other || (spec_.logN == other.spec_.logN && spec_.levels == other.spec_.levels &&
                              spec_.special == other.spec_.special && spec_.digitLimbs == other.spec_.digitLimbs);
}

}  // namespace heml
