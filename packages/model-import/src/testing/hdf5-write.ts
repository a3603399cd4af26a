/** HDF5 files written by h5wasm, and where their chunks lie: for tests of damage. */
import { File, Module, ready } from 'h5wasm'
import { chunkGrid, listChunks } from '../nir/hdf5/chunk-index.ts'
import { Cursor } from '../nir/hdf5/cursor.ts'
import { MESSAGE, readMessages } from '../nir/hdf5/object-header.ts'
import { readFilters, readLayout } from '../nir/hdf5/storage.ts'
import type { StoredChunk } from '../nir/hdf5/stored-chunk.ts'

export interface TestArray {
  readonly data: Float32Array
  readonly shape: number[]
  readonly chunks?: number[]
  /** Number of a filter. */
  readonly compression?: number
}

/** @param libver 'latest' puts checksums on everything but the values */
export async function writeHdf5(
  arrays: Readonly<Record<string, TestArray>>,
  libver: 'latest' | undefined,
): Promise<{ bytes: Uint8Array; chunks: (name: string) => StoredChunk[] }> {
  await ready
  const path = `/${Math.random()}.h5`
  const file = new File(path, 'w', libver ? { libver } : {})
  for (const [name, { compression, ...of }] of Object.entries(arrays))
    file.create_dataset({
      name,
      dtype: '<f',
      ...of,
      ...(compression !== undefined && { compression, compression_opts: compression === 1 ? [6] : [] }),
    })
  file.close()
  const { FS } = Module
  const bytes = Uint8Array.from(FS.readFile(path) as Uint8Array)
  const chunks = (name: string): StoredChunk[] => {
    const open = new File(path, 'r')
    const reference = Uint8Array.from(Module.create_object_reference(open.file_id, `/${name}`))
    open.close()
    const messages = readMessages(bytes, new Cursor(reference, 0, 8, '').u64(), name)
    const layout = readLayout(messages.get(MESSAGE.layout)!)
    if (layout.kind !== 'chunks') throw new Error(`${name} has no chunks`)
    const grid = chunkGrid(arrays[name]!.shape, layout)
    return listChunks(bytes, layout, grid, readFilters(messages.get(MESSAGE.filters)).length > 0, name)
  }
  return { bytes, chunks }
}
