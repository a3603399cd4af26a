// Keccak-p[1600] (FIPS 202, section 3), the last so many of its 24 rounds, over any lane type: one state per scalar lane, four per AVX2, eight per AVX-512.
// `V` supplies exclusiveOr, exclusiveOr5, rotate<bits>, chi(a, b, c) = a ^ (~b & c) and broadcast. Included by the file
// of each instruction set after its target pragma, so it must include nothing that defines functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heml {
namespace {  // every including file gets its own copy, compiled for its own instruction set

constexpr uint64_t KECCAK_ROUND_CONSTANTS[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
    0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
    0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

// Lane (x, y), rotated by its offset, goes to (y, 2x + 3y): a row of the result takes one lane of every row, each of them used
// once, so row by row the state needs its 25 registers and two more.
template <class V>
inline __attribute__((always_inline)) void keccakRow(typename V::Lane* out, typename V::Lane b0, typename V::Lane b1,
                                                     typename V::Lane b2, typename V::Lane b3, typename V::Lane b4) {
    out[0] = V::chi(b0, b1, b2);
    out[1] = V::chi(b1, b2, b3);
    out[2] = V::chi(b2, b3, b4);
    out[3] = V::chi(b3, b4, b0);
    out[4] = V::chi(b4, b0, b1);
}

template <class V>
inline __attribute__((always_inline)) void keccakRound(typename V::Lane (&a)[25], uint64_t constant) {
    typename V::Lane out[25], c[5], d[5];
#pragma GCC unroll 5
    for (size_t x = 0; x < 5; ++x) c[x] = V::exclusiveOr5(a[x], a[x + 5], a[x + 10], a[x + 15], a[x + 20]);
    // in this order a column is done with after two steps: six registers hold both
#pragma GCC unroll 5
    for (size_t step = 0; step < 5; ++step) {
        const size_t x = 2 * step % 5;
        d[x] = V::exclusiveOr(c[(x + 4) % 5], V::template rotate<1>(c[(x + 1) % 5]));
    }
    keccakRow<V>(out + 0, V::exclusiveOr(a[0], d[0]), V::template rotate<44>(V::exclusiveOr(a[6], d[1])),
                 V::template rotate<43>(V::exclusiveOr(a[12], d[2])), V::template rotate<21>(V::exclusiveOr(a[18], d[3])),
                 V::template rotate<14>(V::exclusiveOr(a[24], d[4])));
    keccakRow<V>(out + 5, V::template rotate<28>(V::exclusiveOr(a[3], d[3])), V::template rotate<20>(V::exclusiveOr(a[9], d[4])),
                 V::template rotate<3>(V::exclusiveOr(a[10], d[0])), V::template rotate<45>(V::exclusiveOr(a[16], d[1])),
                 V::template rotate<61>(V::exclusiveOr(a[22], d[2])));
    keccakRow<V>(out + 10, V::template rotate<1>(V::exclusiveOr(a[1], d[1])), V::template rotate<6>(V::exclusiveOr(a[7], d[2])),
                 V::template rotate<25>(V::exclusiveOr(a[13], d[3])), V::template rotate<8>(V::exclusiveOr(a[19], d[4])),
                 V::template rotate<18>(V::exclusiveOr(a[20], d[0])));
    keccakRow<V>(out + 15, V::template rotate<27>(V::exclusiveOr(a[4], d[4])), V::template rotate<36>(V::exclusiveOr(a[5], d[0])),
                 V::template rotate<10>(V::exclusiveOr(a[11], d[1])), V::template rotate<15>(V::exclusiveOr(a[17], d[2])),
                 V::template rotate<56>(V::exclusiveOr(a[23], d[3])));
    keccakRow<V>(out + 20, V::template rotate<62>(V::exclusiveOr(a[2], d[2])), V::template rotate<55>(V::exclusiveOr(a[8], d[3])),
                 V::template rotate<39>(V::exclusiveOr(a[14], d[4])), V::template rotate<41>(V::exclusiveOr(a[15], d[0])),
                 V::template rotate<2>(V::exclusiveOr(a[21], d[1])));
    out[0] = V::exclusiveOr(out[0], V::broadcast(constant));
#pragma GCC unroll 25
    for (size_t w = 0; w < 25; ++w) a[w] = out[w];
}

template <class V>
inline __attribute__((always_inline)) void keccakRounds(typename V::Lane (&a)[25], size_t rounds) {
    for (size_t round = 24 - rounds; round < 24; ++round) keccakRound<V>(a, KECCAK_ROUND_CONSTANTS[round]);
}

}  // namespace
}  // namespace heml
