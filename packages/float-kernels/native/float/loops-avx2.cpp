// Neurons, normalisation and pooling with AVX2; without its fused multiply-add.
#include "loops.h"

#include "neuron-loops.h"

#include "channel-loops.h"

#include "pool-loops.h"

#include "loops-table.h"

namespace heml::f32 {

const Loops& avx2Loops() { return TABLE; }

}  // namespace heml::f32
