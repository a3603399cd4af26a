/** Pictures of training and of spiking networks, as SVG documents. */
export { type AccuracyRow, drawAccuracy } from './accuracy.ts'
export { drawSvg, type Heading, type PictureSpec } from './draw-svg.ts'
export { drawGradientWindows, type GradientWindowsPicture, type NamedWindow } from './gradient-windows.ts'
export { drawLearningCurves, type LearningRun } from './learning-curves.ts'
export { drawMembraneTraces, type MembraneTrace, type MembraneTracesPicture } from './membrane-traces.ts'
export { drawSpikeRaster, type SpikeRaster } from './spike-raster.ts'
