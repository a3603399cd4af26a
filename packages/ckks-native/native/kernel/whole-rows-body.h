// No #pragma once: included in the namespace of each table whose split limbs are coefficients and whose row is the limb. Of transforms in two parts
// the first of an inverse and the second of a forward one are then the whole.

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
