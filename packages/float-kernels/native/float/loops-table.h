// Included last by the file of an instruction set, after the three headers of loops: its table.

namespace heml::f32 {

namespace {

constexpr Loops TABLE{
    apply,        addProduct,       addMultiple,  spikes,      slopes,    toGrid,     stopOutside,      joinGradients,
    sum,          squares,          sums,         scale,       normalize, addColumns, addSquareColumns, addProductColumns,
    scaleColumns, normalizeColumns, averagePairs, spreadPairs, maxPairs};

}  // namespace

}  // namespace heml::f32
