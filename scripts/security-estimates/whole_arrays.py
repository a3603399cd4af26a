"""Inner loops of the lattice estimator, over whole arrays of doubles instead of one number or symbol at a time: a hybrid attack on
a ring of degree 2^16 takes minutes instead of a day. The formulas are the estimator's own (simulator.GSA, prob.babai,
prob.mitm_babai_probability); its results stay the same to hundredths of a bit, which `estimate.py --plain` lets anybody see.
"""
import numpy
from scipy.special import erf
from scipy.stats import beta as beta_distribution

from estimator import cost, lwe_dual, lwe_primal, simulator
from sage.all import RR


def gsa(d, n, q, beta, xi=1, tau=1, dual=False):
    # takes the place of simulator.GSA's code, so its names are those of that module
    import numpy

    from estimator.reduction import delta as deltaf

    assert 2 <= beta <= d
    samples = d - n - (1 if tau else 0)
    log_vol = RR(log(q, 2) * samples + log(xi, 2) * n + (log(tau, 2) if tau else 0))
    log_delta = float(RR(log(deltaf(beta), 2)))  # noqa: F821 (of that module)
    exponents = 2 * ((d - 1 - 2 * numpy.arange(d)) * log_delta + float(log_vol / d))
    # beyond doubles every probability is 1 anyway
    return numpy.exp2(numpy.clip(exponents, -1000, 1000))


def babai(r, norm):
    if len(r) == 0:
        return 1.0
    beyond = numpy.maximum(1 - numpy.asarray(r) / float(2 * norm) ** 2, 0)
    # far most are longer than the error
    short = beyond[beyond > 0]
    return float(numpy.prod(1 - beta_distribution.cdf(short, (len(r) - 1) / 2, 0.5)))


def mitm_babai_probability(r, stddev, fast=False):
    if fast:
        return 1
    x = numpy.sqrt(0.5 * numpy.asarray(r)) / float(stddev)
    return float(numpy.prod(erf(x) - (1 - numpy.exp(-(x**2))) / (x * numpy.sqrt(numpy.pi))))


def once(f):
    """The attack without guesses is the start of every search, and the same each time."""
    known = {}

    def found(params, log_level=None, **options):
        key = (params, tuple(sorted((k, repr(v)) for k, v in options.items())))
        if key not in known:
            known[key] = f(params, **options)
        return known[key]

    return found


def install():
    simulator.GSA.__code__ = gsa.__code__
    lwe_primal.prob_babai = babai
    lwe_primal.mitm_babai_probability = mitm_babai_probability
    lwe_primal.primal_usvp = once(lwe_primal.primal_usvp)
    # numbers in place of symbols, and no text for a log that nobody reads
    lwe_dual.pi, lwe_dual.e = RR.pi(), RR(1).exp()
    cost.Cost.__repr__ = object.__repr__
