// Neurons, normalisation and pooling with whatever vectors every processor of the architecture has.
#include "loops.h"

#include "neuron-loops.h"

#include "channel-loops.h"

#include "pool-loops.h"

#include "loops-table.h"

namespace heml::f32 {

const Loops& scalarLoops() { return TABLE; }

}  // namespace heml::f32
