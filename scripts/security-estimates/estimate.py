"""Runs the public lattice estimator on problems read from standard input, one JSON object a line:

    {"name": "N12-L1", "logN": 12, "logQP": 100.13, "secret": {"kind": "ternary"}, "errorBits": 42,
     "attacks": [{"attack": "usvp", "model": "gates"}]}

(a sparse secret is {"kind": "sparse", "weight": 32}) and prints one JSON object a line for every attack, as it is done. Started
by scripts/security-estimates.ts under Sage's Python: `sage -python estimate.py CHECKOUT`, CHECKOUT being a clone of
github.com/malb/lattice-estimator.
"""
import json
import math
import sys
import time

sys.path.insert(0, sys.argv[1])

from estimator import LWE, ND, RC  # noqa: E402
from estimator.lwe_dual import dual_hybrid as dual_guess  # noqa: E402
from sage.all import RR, oo  # noqa: E402

import whole_arrays  # noqa: E402

# gates: list decoding, with dimensions for free; sieve: the asymptotic time of a sieve, eight tours of it
MODELS = {"gates": RC.MATZOV, "sieve": RC.BDGL16}

ATTACKS = {
    "usvp": LWE.primal_usvp,
    "bdd": LWE.primal_bdd,
    "bdd-hybrid": lambda p, **k: LWE.primal_hybrid(p, mitm=False, babai=False, **k),
    "bdd-mitm-hybrid": lambda p, **k: LWE.primal_hybrid(p, mitm=True, babai=True, **k),
    "dual": LWE.dual,
    "dual-fft": LWE.dual_hybrid,
    "dual-guess": dual_guess,
}
DETAILS = {"beta": "beta", "eta": "eta", "zeta": "zeta", "d": "d", "t": "t", "h1": "weight"}


def problem(row):
    n = 2 ** row["logN"]
    secret = row["secret"]
    if secret["kind"] == "ternary":
        xs = ND.Uniform(-1, 1)
    else:
        # as many ones as minus ones: a secret whose signs are free is only harder to guess (2.8 bits for 32)
        half = secret["weight"] // 2
        xs = ND.SparseTernary(half, secret["weight"] - half, n)
    # an odd integer of that size; as many samples as an attack wants
    q = math.floor(2 ** (row["logQP"] % 1) * 2 ** 52) << (math.floor(row["logQP"]) - 52) if row["logQP"] >= 53 \
        else math.floor(2 ** row["logQP"])
    return LWE.Parameters(n=n, q=q | 1, Xs=xs, Xe=ND.CenteredBinomial(row["errorBits"] // 2), m=oo, tag=row["name"])


def number(value):
    value = float(RR(value))
    return int(value) if value == int(value) else round(value, 2)


if "--plain" not in sys.argv:
    whole_arrays.install()

for line in sys.stdin:
    row = json.loads(line)
    params = problem(row)
    for attack, model in ((a["attack"], a["model"]) for a in row["attacks"]):
        started = time.time()
        cost = ATTACKS[attack](params, red_cost_model=MODELS[model])
        bits = None if cost["rop"] == oo else round(float(RR(cost["rop"]).log(2)), 2)
        details = {name: number(cost[key]) for key, name in DETAILS.items() if bits is not None and key in cost}
        out = {"name": row["name"], "attack": attack, "model": model, "bits": bits, **details}
        print(json.dumps(out), flush=True)
        print(f"{json.dumps(out)} {time.time() - started:.0f} s", file=sys.stderr, flush=True)
