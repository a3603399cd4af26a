#pragma once
// The two integer types every kernel speaks, and the one buffer it needs.
// A Word holds one residue; a limb is N Words, contiguous and 64-byte aligned, so that a vector
// of eight residues is exactly one cache line.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

/// For small functions in headers that files with different instruction-set flags include: never an
/// out-of-line copy, or the linker could hand a vector one to a processor that lacks the instructions.
#define HEML_INLINE inline __attribute__((always_inline))

namespace heml::kernel {

using Word = std::uint64_t;
using Wide = unsigned __int128;

inline constexpr std::size_t LINE_BYTES = 64;
inline constexpr std::size_t LINE_WORDS = 8;

struct AlignedFree {
    void operator()(void* memory) const { std::free(memory); }
};

template <class T>
using AlignedArray = std::unique_ptr<T[], AlignedFree>;

/// Uninitialised, 64-byte aligned array; for trivial T only. Throws std::bad_alloc.
template <class T>
AlignedArray<T> makeAlignedArray(std::size_t count) {
    const std::size_t bytes = (count * sizeof(T) + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    void* memory = std::aligned_alloc(LINE_BYTES, bytes == 0 ? LINE_BYTES : bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return AlignedArray<T>(static_cast<T*>(memory));
}

}  // namespace heml::kernel
