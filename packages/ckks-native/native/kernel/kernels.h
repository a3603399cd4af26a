#pragma once
// The kernel interface: one table of function pointers per instruction set.
// Everything works on one limb (or several limbs of different primes, for baseConvert), never
// allocates from shared state, and is re-entrant. Unless a comment says otherwise
//   - residues are canonical, in [0, p), on the way in and on the way out;
//   - pointers are 64-byte aligned; `n`, `begin` and `end` are multiples of LINE_WORDS (8);
//   - `dst` may equal any source (element by element), but must not overlap it partially;
//   - out-of-range residues never cause undefined behaviour, only unspecified words.
// All kernels return identical words. Sizes are trusted: the engine checks them.

#include "automorphism.h"
#include "base-converter.h"
#include "modulus.h"
#include "ntt-tables.h"

namespace heml::kernel {

enum class Centring { none, centred };

/// dst_j = [x]_{p_j} for the coefficients [begin, end); see base-converter.h for what is exact.
struct ConvertJob {
    const Word* const* sources;      ///< sourceCount limbs, whole (indexed from 0)
    bool sourcesScaled;              ///< true: sources hold y_i already; false: x_i, multiplied here
    Word* const* targets;            ///< one whole limb per entry of targetIndices; must not alias sources
    const std::uint32_t* targetIndices;  ///< which targets of the converter; nullptr means 0 .. count-1
    std::size_t targetCount;
    std::size_t begin;
    std::size_t end;
};

/// A transform goes in two parts, so that a basis conversion between two transforms is done on the way: columns are the levels of
/// the tree next to the coefficients, rows those next to the evaluations. A limb between the parts is *split*: words that only the
/// other part of the same kernel reads.
inline constexpr std::size_t COLUMN_RANGE = 1024;

/// What one converter reads, and which of its targets they are.
struct ColumnSources {
    const Word* const* limbs;  ///< sourceCount limbs, by nttInverseRows with the converter's sourceFactors
    const NttTables* const* tables;  ///< of the sources
    const BaseConverter* converter;
    const std::uint32_t* targetIndices;  ///< as in ConvertJob
};

inline constexpr std::size_t MAX_COLUMN_PARTS = 2;

/// Split limbs of some primes to split limbs of others: the columns of the inverse transforms, baseConvert, the columns of the
/// forward transforms; of one or two converters, whose results are added. [begin, end) is a share of [0, N), multiples of
/// COLUMN_RANGE; all shares together are the whole.
struct ConvertColumnsJob {
    const ColumnSources* parts;
    std::size_t partCount;
    Word* const* targets;  ///< must not alias sources
    const NttTables* const* targetTables;  ///< one per target limb
    std::size_t targetCount;
    std::size_t begin;
    std::size_t end;
};

/// A run of memory that is read soon.
struct MemoryRun {
    const void* from = nullptr;
    std::size_t bytes = 0;
};

inline constexpr std::size_t MAX_RUNS_AHEAD = 3;

/// What is read after a call of nttForwardRows, and asked for while it computes: advice, whatever it says.
struct NextRows {
    const Word* split = nullptr;  ///< the limb that the next such call reads, and where it begins; nullptr: not known
    std::size_t begin = 0;
    MemoryRun runs[MAX_RUNS_AHEAD] = {};  ///< what the next inner product reads
};

/// How residues lie in memory. What is read at the speed of memory takes the fewest bytes that hold its prime's.
enum class Packing : std::uint8_t {
    words,  ///< 8 bytes
    six,  ///< 6 bytes, little-endian (pack48)
    four,  ///< 4 bytes, primes below 2^32 (pack32)
};

constexpr std::size_t bytesPerResidue(Packing packing) {
    return packing == Packing::words ? sizeof(Word) : packing == Packing::six ? 6 : 4;
}

/// A switching-key limb: N residues, packed as its job says.
using KeyLimb = const void*;

/// out_c = (start_c + added_c + sigma(direct_c) + sum_d sigma(digit_d) key_c,d) factor for c = 0, 1 and [begin, end).
struct InnerProductJob {
    Word* out0;  ///< entries [begin, end), as start; must not alias the digits when sigma is given
    Word* out1;
    const Word* const* digits;  ///< count limbs, evaluation order, canonical or as nttForwardRows leaves them
    const KeyLimb* keys0;  ///< count whole limbs each
    const KeyLimb* keys1;
    std::size_t count;
    const AutomorphismTable* automorphism;  ///< sigma; nullptr for the identity
    Packing keys;
    const Word* start0;  ///< entries [begin, end), canonical or as nttForwardRows leaves them; perhaps out; nullptr: 0
    const Word* start1;
    std::size_t begin;
    std::size_t end;
    const Word* direct0 = nullptr;  ///< limbs, canonical; nullptr: 0
    const Word* direct1 = nullptr;
    bool streamed = false;  ///< out is read much later: it may go past the caches
    std::size_t origin = 0;  ///< which entry digits and direct begin with: whole limbs, or just what sigma takes to [begin, end)
    Word factor = 1;  ///< in [0, p)
    const Word* added0 = nullptr;  ///< entries [begin, end), canonical; perhaps out; nullptr: 0
    const Word* added1 = nullptr;
};

/// A plaintext limb of which one stored value stands for 2^logRepeat consecutive entries.
struct RepeatedLimb {
    const void* values;  ///< N >> logRepeat residues; nullptr: this term is absent
    int logRepeat;  ///< 0 for an ordinary limb
    Packing packing = Packing::words;  ///< words or four
};

/// dst = (accumulate ? dst : 0) + sum_t a_t b_t for [begin, end).
struct SumProductsJob {
    Word* dst;
    const Word* const* factors;  ///< count whole limbs a_t
    const RepeatedLimb* multipliers;  ///< count limbs b_t
    std::size_t count;
    bool accumulate;
    std::size_t begin;
    std::size_t end;
};

inline constexpr std::size_t MAX_GIANT_STEPS = 128;

/// One baby step of a double-hoisted linear transform.
struct HoistedStep {
    const AutomorphismTable* automorphism;  ///< nullptr for the identity
    const KeyLimb* keys0;  ///< digitCount limbs; nullptr: no key product (sigma = 1 with direct below)
    const KeyLimb* keys1;
    const RepeatedLimb* plaintexts;  ///< one per giant step; absent terms allowed
};

/// One of several inputs that take the same steps, and its sums.
struct HoistedInput {
    const Word* const* digits;  ///< digitCount whole limbs, canonical or as nttForwardRows leaves them
    const Word* direct0;  ///< c0 (times P modulo QP); nullptr: 0
    const Word* direct1;  ///< c1 (times P), read by steps without keys only; nullptr: 0
    Word* const* out0;  ///< giantCount whole limbs; must not alias an input
    Word* const* out1;
};

/// For every input, every giant step g and [begin, end):
///   u0_b = sum_d sigma_b(digit_d) key0_b,d + sigma_b(direct0),  u1_b = sum_d sigma_b(digit_d) key1_b,d,
///   out_c,g = (accumulate ? out_c,g : 0) + sum_b u_c,b plaintext_b,g.
/// Where keys0 is nullptr: u0 = sigma(direct0), u1 = sigma(direct1). The u never reach memory.
struct HoistedJob {
    const HoistedInput* inputs;  ///< keys and plaintexts are read once for all
    std::size_t inputCount;
    std::size_t digitCount;
    const HoistedStep* steps;
    std::size_t stepCount;
    std::size_t giantCount;  ///< at most MAX_GIANT_STEPS
    Packing keys;
    bool accumulate;
    std::size_t begin;
    std::size_t end;
};

/// dst_j = (accumulate ? dst_j : 0) + sum_i weights[j * weightStride + i] src_i for [begin, end).
struct MatrixJob {
    Word* const* targets;  ///< rows whole limbs; must not alias the sources
    const Word* const* sources;  ///< columns whole limbs
    const Word* weights;  ///< in [0, p)
    std::size_t weightStride;
    std::size_t rows;
    std::size_t columns;
    bool accumulate;
    std::size_t begin;
    std::size_t end;
};

constexpr std::size_t ACCEPT_STREAMS = 8;
constexpr std::size_t ACCEPT_WORDS = 21;  ///< of each stream at a time: a block of SHAKE128
constexpr std::size_t ACCEPT_CANDIDATES = 4 * ACCEPT_WORDS / 3;  ///< of 48 bits each

/// Rejection sampling from eight streams side by side. A stream is words of 48 bits, of which the low bits(p - 1) count; those
/// below p are appended, in order, to the row of their stream. Rows that have `wanted` already stay as they are.
struct AcceptJob {
    static constexpr std::size_t ROOM =
        ACCEPT_CANDIDATES + 8;  ///< words behind the wanted ones of a row that are written as well

    const std::uint64_t* words;  ///< word w of stream j is words[8 w + j]; 64-byte aligned
    Word* rows;  ///< row j from rows + j * rowWords
    std::size_t rowWords;  ///< at least wanted + ROOM
    std::size_t* counts;  ///< of each row, how many it has
    std::size_t wanted;
    Word p;  ///< 1 to 2^48, not necessarily a prime
};

struct Kernels {
    const char* name;

    /// Coefficients to evaluation order. In [0, p), out [0, p).
    void (*nttForward)(Word* dst, const Word* src, const NttTables& tables);
    /// Evaluation order to coefficients, 1/N included. In [0, p), out [0, p).
    void (*nttInverse)(Word* dst, const Word* src, const NttTables& tables);
    /// The same times `factor` in [0, p), at no cost.
    void (*nttInverseScaled)(Word* dst, const Word* src, const NttTables& tables, Word factor);

    /// The transforms in two parts, see ConvertColumnsJob. Rows: runs of this many entries that the row parts take by themselves, a
    /// divisor of N and the same for all limbs of this degree.
    std::size_t (*rowWords)(int logN);
    /// The first part of nttInverseScaled, rows [begin, end) (multiples of rowWords): evaluation order, src being where the first of
    /// them is, to split; dst is the whole limb. In [0, p).
    void (*nttInverseRows)(Word* dst, const Word* src, const NttTables& tables, Word factor, std::size_t begin, std::size_t end);
    void (*convertColumns)(const ConvertColumnsJob& job);
    /// The second part of nttForward, rows [begin, end): split, src being the whole limb, to evaluation order, dst being where the
    /// first of them goes; congruent to the residues but not canonical: what innerProduct and hoistedProduct take as digits.
    void (*nttForwardRows)(Word* dst, const Word* src, const NttTables& tables, std::size_t begin, std::size_t end,
                           const NextRows& next);
    /// dst = dst + the same, canonical. What is in src is used up. In all of these dst must not alias src.
    void (*nttForwardRowsAdd)(Word* dst, Word* src, const NttTables& tables, std::size_t begin, std::size_t end);

    void (*add)(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m);
    void (*sub)(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m);
    void (*negate)(Word* dst, const Word* a, std::size_t n, const Modulus& m);
    void (*mul)(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m);
    /// dst = dst + a b.
    void (*mulAdd)(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m);
    /// dst = dst - a b.
    void (*mulSub)(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m);
    /// dst = a + scalar; scalar in [0, p), as in the four below.
    void (*addScalar)(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m);
    /// dst = a scalar.
    void (*mulScalar)(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m);
    /// dst = dst + a scalar.
    void (*mulScalarAdd)(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m);
    /// dst = (a - b) scalar.
    void (*subMulScalar)(Word* dst, const Word* a, const Word* b, Word scalar, std::size_t n, const Modulus& m);
    /// d0 = a0 b0, d1 = a0 b1 + a1 b0, d2 = a1 b1. The d must not alias the a and b.
    void (*tensorProduct)(Word* d0, Word* d1, Word* d2, const Word* a0, const Word* a1, const Word* b0, const Word* b1,
                          std::size_t n, const Modulus& m);
    /// src in [0, from); dst = src mod `to`, or, centred, the representative in (-from/2, from/2) mod `to`.
    void (*reduceInto)(Word* dst, const Word* src, std::size_t n, const Modulus& from, const Modulus& to, Centring centring);

    void (*baseConvert)(const ConvertJob& job, const BaseConverter& converter);
    void (*innerProduct)(const InnerProductJob& job, const Modulus& m);
    void (*sumProducts)(const SumProductsJob& job, const Modulus& m);
    void (*hoistedProduct)(const HoistedJob& job, const Modulus& m);
    void (*matrixProduct)(const MatrixJob& job, const Modulus& m);

    /// dst = sigma(src) for the output indices [begin, end); dst must not alias src; both whole limbs.
    void (*permute)(Word* dst, const Word* src, const AutomorphismTable& table, std::size_t begin, std::size_t end);
    /// n words below 2^48 to 6 n bytes, little-endian. dst must not alias src.
    void (*pack48)(std::uint8_t* dst, const Word* src, std::size_t n);
    void (*unpack48)(Word* dst, const std::uint8_t* src, std::size_t n);
    /// n words below 2^32 to 4 n bytes, little-endian. dst must not alias src.
    void (*pack32)(std::uint8_t* dst, const Word* src, std::size_t n);
    void (*unpack32)(Word* dst, const std::uint8_t* src, std::size_t n);
    /// n residues of 6 bytes from outside, as they are; whether all of them are below p. dst must not alias src.
    bool (*checkedCopy48)(std::uint8_t* dst, const std::uint8_t* src, std::size_t n, const Modulus& m);
    void (*acceptUniform)(const AcceptJob& job);
};

/// Always there.
const Kernels& scalarKernels();

/// The table of that name ("scalar", "avx2", "avx512ifma"), or nullptr if this build or processor lacks it.
const Kernels* findKernels(const char* name);

struct KernelList {
    const Kernels* const* first;
    std::size_t count;
    const Kernels* const* begin() const { return first; }
    const Kernels* const* end() const { return first + count; }
};

/// What this build has and this processor runs, slowest first.
KernelList supportedKernels();

/// The fastest supported table, or the one HE_ML_KERNEL names; chosen at the first call. Throws
/// std::runtime_error if HE_ML_KERNEL names an unknown or unsupported one.
const Kernels& activeKernels();

}  // namespace heml::kernel
