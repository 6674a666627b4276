"""Where do the polynomials of src/math come from? Minimax fits, coefficients rounded to f32 one after the other.

Each row fits sum(c[k] * t**k) to g(t) on [lo, hi] so that the largest |weight(t) * error| is least (Lawson's iteration of weighted
least squares over Chebyshev points); then the first coefficient is rounded to f32 and the others are fitted again, and so on.
Needs numpy and mpmath. Prints Rust constants and log2 of the error that the rounded polynomial leaves.
"""
import mpmath as mp
import numpy as np

mp.mp.prec = 160


def lawson(t, g, w, first, n):
    a = np.stack([t**k for k in range(first, n)], axis=1) * w[:, None]
    b = g * w
    scale = np.abs(a).max(axis=0)
    lw = np.ones(len(t)) / len(t)
    best, best_err = None, np.inf
    for _ in range(400):
        s = np.sqrt(lw)[:, None]
        c = np.linalg.lstsq(a / scale * s, b * s[:, 0], rcond=None)[0] / scale
        e = np.abs(a @ c - b)
        if e.max() < best_err:
            best, best_err = c, e.max()
        lw = lw * (e + 1e-3 * e.max())
        lw /= lw.sum()
    return best


def fit(name, g, lo, hi, n, weight, fixed=()):
    k = np.arange(1200)
    t = (lo + hi) / 2 + (hi - lo) / 2 * np.cos(np.pi * (k + 0.5) / len(k))
    t = t[np.abs(t) > 1e-9]
    gv = np.array([float(g(mp.mpf(x))) for x in t])
    wv = np.array([float(weight(mp.mpf(x))) for x in t])
    coefficients = [np.float64(np.float32(c)) for c in fixed]
    for first in range(len(fixed), n):
        rest = gv - sum(c * t**k for k, c in enumerate(coefficients))
        c = lawson(t, rest, wv, first, n)
        coefficients.append(np.float64(np.float32(c[0])))
    err = np.abs(wv * (gv - sum(c * t**k for k, c in enumerate(coefficients)))).max()
    print(f"// {name}: 2^{np.log2(err):.1f}")
    print(f"[{', '.join(repr(np.float32(c)).replace('np.float32(', '').rstrip(')') for c in coefficients)}]")


half_ln2 = mp.log(2) / 2 * mp.mpf("1.001")
log2_e = 1 / mp.log(2)
eighth = (mp.pi / 4 * mp.mpf("1.001")) ** 2
low, high = float(mp.sqrt(0.5) - 1), float(mp.sqrt(2) - 1)
ratio = float(((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2)


def odd(name, function, hi, n):
    """function(x) = x + x**3 * p(x**2), least relative error."""
    relative = lambda z: function(mp.sqrt(z)) / mp.sqrt(z)
    fit(name, lambda z: (relative(z) - 1) / z, 0.0, float(hi), n, lambda z: z / relative(z))


fit("EXP", lambda r: (mp.exp(r) - 1 - r) / r**2, float(-half_ln2), float(half_ln2), 5, lambda r: r**2 / mp.exp(r))
fit("EXP2", lambda r: (2**r - 1) / r, -0.5005, 0.5005, 6, lambda r: r / 2**r)
fit("LOG", lambda f: (mp.log1p(f) - f + f * f / 2) / f**3, low, high, 8, lambda f: f**3 / mp.log1p(f))
fit("LOG2", lambda f: (mp.log1p(f) - f) * log2_e / f**2, low, high, 9, lambda f: f**2 / (mp.log1p(f) * log2_e))
fit("LOG2_RATIO", lambda z: 2 * log2_e * (mp.atanh(mp.sqrt(z)) - mp.sqrt(z)) / mp.sqrt(z) ** 3, 0.0, ratio, 4, lambda z: mp.sqrt(z) ** 3)
odd("SIN", mp.sin, eighth, 3)
fit("COS", lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2, 0.0, float(eighth), 3, lambda z: z**2 / mp.cos(mp.sqrt(z)))
odd("ATAN", mp.atan, 1, 9)
odd("ASIN", mp.asin, 0.25, 5)
odd("SINH", mp.sinh, 1, 4)
odd("TANH", mp.tanh, 0.36, 5)
