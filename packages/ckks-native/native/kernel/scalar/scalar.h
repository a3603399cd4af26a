#pragma once
// The reference: plain loops over 128-bit products, the definition the vector kernels are tested against.

#include "kernel/kernels.h"

namespace heml::kernel::scalar {

void nttForward(Word* dst, const Word* src, const NttTables& tables);
void nttInverse(Word* dst, const Word* src, const NttTables& tables);
void nttInverseScaled(Word* dst, const Word* src, const NttTables& tables, Word factor);
std::size_t rowWords(int logN);
void nttInverseRows(Word* dst, const Word* src, const NttTables& tables, Word factor, std::size_t begin, std::size_t end);
void convertColumns(const ConvertColumnsJob& job);
void nttForwardRows(Word* dst, const Word* src, const NttTables& tables, std::size_t begin, std::size_t end,
                    const NextRows& next);
void nttForwardRowsAdd(Word* dst, Word* src, const NttTables& tables, std::size_t begin, std::size_t end);

void add(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m);
void sub(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m);
void negate(Word* dst, const Word* a, std::size_t n, const Modulus& m);
void mul(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m);
void mulAdd(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m);
void mulSub(Word* dst, const Word* a, const Word* b, std::size_t n, const Modulus& m);
void addScalar(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m);
void mulScalar(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m);
void mulScalarAdd(Word* dst, const Word* a, Word scalar, std::size_t n, const Modulus& m);
void subMulScalar(Word* dst, const Word* a, const Word* b, Word scalar, std::size_t n, const Modulus& m);
void tensorProduct(Word* d0, Word* d1, Word* d2, const Word* a0, const Word* a1, const Word* b0, const Word* b1, std::size_t n,
                   const Modulus& m);
void reduceInto(Word* dst, const Word* src, std::size_t n, const Modulus& from, const Modulus& to, Centring centring);

void baseConvert(const ConvertJob& job, const BaseConverter& converter);
void innerProduct(const InnerProductJob& job, const Modulus& m);
void sumProducts(const SumProductsJob& job, const Modulus& m);
void hoistedProduct(const HoistedJob& job, const Modulus& m);
void matrixProduct(const MatrixJob& job, const Modulus& m);

void permute(Word* dst, const Word* src, const AutomorphismTable& table, std::size_t begin, std::size_t end);
void pack48(std::uint8_t* dst, const Word* src, std::size_t n);
void unpack48(Word* dst, const std::uint8_t* src, std::size_t n);
void pack32(std::uint8_t* dst, const Word* src, std::size_t n);
void unpack32(Word* dst, const std::uint8_t* src, std::size_t n);
bool checkedCopy48(std::uint8_t* dst, const std::uint8_t* src, std::size_t n, const Modulus& m);
void acceptUniform(const AcceptJob& job);

}  // namespace heml::kernel::scalar
