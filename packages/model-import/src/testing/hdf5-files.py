"""HDF5 files that h5py 3.16 (HDF5 2.0) wrote, for tests where it is not there: python3 hdf5-files.py > hdf5-files.ts"""
import base64
import os
import tempfile
import zlib

import h5py
import numpy as np

RAMP = (np.arange(60, dtype="f4") - 20).reshape(6, 10) / 4


def sound(f):
    """Read right: every value is that of RAMP, or of the type's name."""
    f["plain"] = RAMP
    f["big-endian"] = RAMP.astype(">f8")
    f["half"] = RAMP.astype("f2")
    f["bool"] = RAMP > 0
    for dtype in ["i1", "u1", "<i2", ">u4", "i8", "u8"]:
        f["type " + dtype] = np.arange(5).astype(dtype) * 3
    for name, options in {
        "gzip": {"compression": "gzip"},
        "gzip, shuffle": {"compression": "gzip", "shuffle": True},
        "lzf": {"compression": "lzf"},
        "lzf, shuffle, fletcher32": {"compression": "lzf", "shuffle": True, "fletcher32": True},
        "fletcher32": {"fletcher32": True},
        "chunks": {},
    }.items():
        f.create_dataset(name, data=RAMP, chunks=(4, 3), **options)
        f.create_dataset(name + ", one chunk", data=RAMP, chunks=RAMP.shape, **options)
    f.create_dataset("incompressible lzf", data=np.random.default_rng(1).integers(0, 255, 40, "u1"), compression="lzf")
    f.create_dataset("many chunks", data=np.arange(1100, dtype="i2") % 3, chunks=(1,))
    f.create_dataset("texts", data=["a", "", "\u00e9\u00e8"], dtype=h5py.string_dtype())
    f.create_dataset("texts, gzip", data=["a", "", "bc"] * 4, dtype=h5py.string_dtype(), compression="gzip", chunks=(5,))
    f["bytes"] = np.array([b"abc", b"d"])
    f["text"] = "one"
    f["nothing"] = np.zeros((0, 3), "f4")
    f["scalar"] = 2.5


def listed(f, name, number):
    """A dataset that lists a filter which this library does not have: optional filters that are missing are left out."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((4, 3))
    plist.set_filter(number, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))
    space = h5py.h5s.create_simple(RAMP.shape)
    dataset = h5py.Dataset(h5py.h5d.create(f.id, name.encode(), h5py.h5t.IEEE_F32LE, space, plist))
    dataset[...] = RAMP


def other(f):
    """Sound, and refused by name when asked for."""
    f.create_dataset("unwritten", (6, 10), "f4")
    f.create_dataset("unwritten, chunks", (6, 10), "f4", chunks=(4, 3))
    f.create_dataset("partly written", (6, 10), "f4", chunks=(4, 3))[:, 3:6] = 1
    f["null"] = h5py.Empty("f4")
    f["record"] = np.zeros(2, [("a", "f4"), ("b", "i4")])
    f["complex"] = np.zeros(2, "c8")
    f.create_dataset("list", (2,), h5py.vlen_dtype("i4"))[0] = np.arange(3, dtype="i4")
    f["large integer"] = np.array([2**60])
    f["named type"] = np.dtype("f4")
    f.create_dataset("of named type", data=RAMP, dtype=f["named type"])
    f["soft"] = h5py.SoftLink("/nowhere")
    f["external"] = h5py.ExternalLink("other.h5", "/x")
    f.create_dataset("scaleoffset", data=RAMP.astype("i4"), chunks=(4, 3), scaleoffset=0)
    for name, number in [("zstd", 32015), ("blosc", 32001), ("number 60000", 60000)]:
        listed(f, name, number)
    f.create_dataset("elsewhere", (3,), "f4", external=[("other.raw", 0, 12)])


def network(f):
    """A NIR file as NIR's own writer makes it with compression="lzf", in half precision, with all sorts of metadata."""
    text = h5py.string_dtype()
    f.create_dataset("version", data="1.0.6", dtype=text)
    f.create_dataset("node/type", data="NIRGraph", dtype=text)
    f.create_dataset("node/edges", data=[("input", "fc"), ("fc", "if"), ("if", "output")])
    for name, kind, fields in [
        ("input", "Input", {"shape": np.array([10])}),
        ("fc", "Linear", {"weight": RAMP.astype("f2")}),
        ("if", "IF", {"r": np.ones(6, "f4"), "v_threshold": np.full(6, 2, "f4"), "v_reset": np.zeros(6, "f4")}),
        ("output", "Output", {"shape": np.array([6])}),
    ]:
        f.create_dataset(f"node/nodes/{name}/type", data=kind, dtype=text)
        for key, value in fields.items():
            f.create_dataset(f"node/nodes/{name}/{key}", data=value, compression="lzf")
    m = f.create_group("node/nodes/fc/metadata")
    m["bits"] = np.float16(0.5)
    m["trained"] = True
    m["name"] = "first"
    m["history"] = np.arange(3)
    m["record"] = np.zeros(2, [("a", "f4"), ("b", "i4")])
    m["none"] = h5py.Empty("f4")
    m["deep/a/b/c/d/e/f/g"] = 1
    m["link"] = h5py.SoftLink("/nowhere")
    m["type"] = np.dtype("c8")
    m["latin"] = np.array(b"\xe9")
    m.create_dataset("later", (3,), "f4")


print("/** Made by hdf5-files.py: deflated, base64, by the versions of HDF5 that can read them. */")
VERSIONS = {"Earliest": ("earliest", "latest"), "V110": ("v110", "v110"), "Latest": "latest"}
for fill in [sound, other, network]:
    print(f"export const {fill.__name__} = {{")
    for name, libver in VERSIONS.items():
        path = os.path.join(tempfile.mkdtemp(), "a.h5")
        with h5py.File(path, "w", libver=libver) as f:
            fill(f)
        with open(path, "rb") as f:
            data = base64.b64encode(zlib.compress(f.read(), 9)).decode()
        print(f"  {name}:\n    '{data}',")
    print("}")
