// Primality of 64-bit integers.
#pragma once

#include <cstdint>

namespace heml {

// Deterministic Miller-Rabin: the first twelve primes as bases decide every n < 2^64 (Sorenson and Webster, 2015).
bool isPrime(uint64_t n);

}  // namespace heml
