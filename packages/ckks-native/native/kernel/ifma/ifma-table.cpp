#include "kernel/tables.h"
#include "ifma.h"

namespace heml::kernel {

const Kernels& avx512ifmaKernels() {
    static const Kernels table{
        .name = "avx512ifma",
        .nttForward = ifma::nttForward,
        .nttInverse = ifma::nttInverse,
        .nttInverseScaled = ifma::nttInverseScaled,
        .rowWords = ifma::rowWords,
        .nttInverseRows = ifma::nttInverseRows,
        .convertColumns = ifma::convertColumns,
        .nttForwardRows = ifma::nttForwardRows,
        .nttForwardRowsAdd = ifma::nttForwardRowsAdd,
        .add = ifma::add,
        .sub = ifma::sub,
        .negate = ifma::negate,
        .mul = ifma::mul,
        .mulAdd = ifma::mulAdd,
        .mulSub = ifma::mulSub,
        .addScalar = ifma::addScalar,
        .mulScalar = ifma::mulScalar,
        .mulScalarAdd = ifma::mulScalarAdd,
        .subMulScalar = ifma::subMulScalar,
        .tensorProduct = ifma::tensorProduct,
        .reduceInto = ifma::reduceInto,
        .baseConvert = ifma::baseConvert,
        .innerProduct = ifma::innerProduct,
        .sumProducts = ifma::sumProducts,
        .hoistedProduct = ifma::hoistedProduct,
        .matrixProduct = ifma::matrixProduct,
        .permute = ifma::permute,
        .pack48 = ifma::pack48,
        .unpack48 = ifma::unpack48,
        .pack32 = ifma::pack32,
        .unpack32 = ifma::unpack32,
        .checkedCopy48 = ifma::checkedCopy48,
        .acceptUniform = ifma::acceptUniform,
    };
    return table;
}

}  // namespace heml::kernel
