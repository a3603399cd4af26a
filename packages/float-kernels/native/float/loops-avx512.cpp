// Neurons, normalisation and pooling with AVX-512.
#include "loops.h"

#include "neuron-loops.h"

#include "channel-loops.h"

#include "pool-loops.h"

#include "loops-table.h"

namespace heml::f32 {

const Loops& avx512Loops() { return TABLE; }

}  // namespace heml::f32
