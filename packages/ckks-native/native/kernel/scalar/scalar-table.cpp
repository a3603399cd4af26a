#include "scalar.h"

namespace heml::kernel {

const Kernels& scalarKernels() {
  static const Kernels table{
      "scalar",           scalar::nttForward,     scalar::nttInverse,    scalar::nttInverseScaled,
      scalar::add,        scalar::sub,            scalar::negate,        scalar::mul,
      scalar::mulAdd,     scalar::mulSub,         scalar::addScalar,     scalar::mulScalar,
      scalar::mulScalarAdd, scalar::subMulScalar, scalar::tensorProduct, scalar::reduceInto,
      scalar::baseConvert, scalar::innerProduct,  scalar::sumProducts,   scalar::hoistedProduct,
      scalar::matrixProduct, scalar::permute,     scalar::pack48,        scalar::unpack48,
      scalar::checkRange, scalar::acceptUniform,
  };
  return table;
}

}  // namespace heml::kernel
