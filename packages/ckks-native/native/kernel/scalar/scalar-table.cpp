#include "scalar.h"

namespace heml::kernel {

const Kernels& scalarKernels() {
    static const Kernels table{
        .name = "scalar",
        .nttForward = scalar::nttForward,
        .nttInverse = scalar::nttInverse,
        .nttInverseScaled = scalar::nttInverseScaled,
        .rowWords = scalar::rowWords,
        .nttInverseRows = scalar::nttInverseRows,
        .convertColumns = scalar::convertColumns,
        .nttForwardRows = scalar::nttForwardRows,
        .nttForwardRowsAdd = scalar::nttForwardRowsAdd,
        .add = scalar::add,
        .sub = scalar::sub,
        .negate = scalar::negate,
        .mul = scalar::mul,
        .mulAdd = scalar::mulAdd,
        .mulSub = scalar::mulSub,
        .addScalar = scalar::addScalar,
        .mulScalar = scalar::mulScalar,
        .mulScalarAdd = scalar::mulScalarAdd,
        .subMulScalar = scalar::subMulScalar,
        .tensorProduct = scalar::tensorProduct,
        .reduceInto = scalar::reduceInto,
        .baseConvert = scalar::baseConvert,
        .innerProduct = scalar::innerProduct,
        .sumProducts = scalar::sumProducts,
        .hoistedProduct = scalar::hoistedProduct,
        .matrixProduct = scalar::matrixProduct,
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
