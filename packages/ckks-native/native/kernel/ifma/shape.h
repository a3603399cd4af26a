#pragma once
// How a transform is divided: streams are its first levels, then come subtrees (of all but N = 2^17, which has one level between)
// that are finished in L1: columns, if any, and rows of 256.

#include "vector.h"

namespace heml::kernel::ifma {

/// Most streams of a first sweep.
inline constexpr std::size_t MAX_STREAMS = 16;

/// Levels of the first sweep.
constexpr int streamLevels(int logN) { return logN <= 12 ? logN - 8 : logN <= 14 ? 2 : logN == 15 ? 3 : 4; }

/// Levels of a subtree before its rows.
constexpr int columnLevels(int logN) { return logN <= 12 ? 0 : logN == 13 ? 3 : 4; }

/// What a stream has at most: rowWords.
inline constexpr std::size_t MAX_ROW_WORDS = 8192;

/// Lines of a stream that stay together in a split limb.
inline constexpr std::size_t RUN = 8;
inline constexpr std::size_t RUN_WORDS = RUN * LINE_WORDS;

/// A split limb: blocks of one run of every stream, each block turned by one run against the one before, so that neither the runs of
/// a block nor those of a stream share a few sets of every cache, as lines a power of two apart would. Where a run is in its block
/// (streams: a power of two):
constexpr std::size_t runInBlock(std::size_t block, std::size_t stream, std::size_t streams) {
    return ((stream + block) & (streams - 1)) * RUN_WORDS;
}

/// Where entry i of a stream is.
constexpr std::size_t splitIndex(std::size_t i, std::size_t stream, std::size_t streams) {
    const std::size_t block = i / RUN_WORDS;
    return block * streams * RUN_WORDS + runInBlock(block, stream, streams) + i % RUN_WORDS;
}

}  // namespace heml::kernel::ifma
