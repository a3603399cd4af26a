// Transforms in two parts, of which the first of an inverse and the second of a forward one are the whole: split limbs are
// coefficients, and a row is the limb.

#include "kernel/split-coefficients.h"
#include "avx2.h"

namespace heml::kernel::avx2 {

std::size_t rowWords(int logN) { return std::size_t{1} << logN; }

void nttInverseRows(Word* dst, const Word* src, const NttTables& tables, Word factor, std::size_t, std::size_t) {
    nttInverseScaled(dst, src, tables, factor);
}

void convertColumns(const ConvertColumnsJob& job) { convertCoefficients(job, baseConvert, add); }

void nttForwardRows(Word* dst, const Word* src, const NttTables& tables, std::size_t, std::size_t, const NextRows&) {
    nttForward(dst, src, tables);
}

void nttForwardRowsAdd(Word* dst, Word* src, const NttTables& tables, std::size_t, std::size_t) {
    nttForward(src, src, tables);
    add(dst, dst, src, tables.degree(), tables.modulus());
}

}  // namespace heml::kernel::avx2
