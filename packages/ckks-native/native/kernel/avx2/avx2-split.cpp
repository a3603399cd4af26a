#include "kernel/split-coefficients.h"
#include "avx2.h"

namespace heml::kernel::avx2 {

#include "kernel/whole-rows-body.h"

}  // namespace heml::kernel::avx2
