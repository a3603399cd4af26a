#include "kernel/scalar/scalar.h"
#include "kernel/tables.h"
#include "avx2.h"

namespace heml::kernel {

const Kernels& avx2Kernels() {
    static const Kernels table{
        .name = "avx2",
        .nttForward = avx2::nttForward,
        .nttInverse = avx2::nttInverse,
        .nttInverseScaled = avx2::nttInverseScaled,
        .rowWords = avx2::rowWords,
        .nttInverseRows = avx2::nttInverseRows,
        .convertColumns = avx2::convertColumns,
        .nttForwardRows = avx2::nttForwardRows,
        .nttForwardRowsAdd = avx2::nttForwardRowsAdd,
        .add = avx2::add,
        .sub = avx2::sub,
        .negate = avx2::negate,
        .mul = avx2::mul,
        .mulAdd = avx2::mulAdd,
        .mulSub = avx2::mulSub,
        .addScalar = avx2::addScalar,
        .mulScalar = avx2::mulScalar,
        .mulScalarAdd = avx2::mulScalarAdd,
        .subMulScalar = avx2::subMulScalar,
        .tensorProduct = avx2::tensorProduct,
        .reduceInto = avx2::reduceInto,
        .baseConvert = avx2::baseConvert,
        .innerProduct = avx2::innerProduct,
        .sumProducts = avx2::sumProducts,
        .hoistedProduct = avx2::hoistedProduct,
        .matrixProduct = avx2::matrixProduct,
        .permute = scalar::permute,
        .pack48 = scalar::pack48,
        .unpack48 = scalar::unpack48,
        .pack32 = scalar::pack32,
        .unpack32 = scalar::unpack32,
        .checkedCopy48 = scalar::checkedCopy48,
        .acceptUniform = scalar::acceptUniform,
    };
    return table;
}

}  // namespace heml::kernel
