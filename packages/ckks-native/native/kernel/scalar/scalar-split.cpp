#include "kernel/split-coefficients.h"
#include "scalar.h"

namespace heml::kernel::scalar {

#include "kernel/whole-rows-body.h"

}  // namespace heml::kernel::scalar
