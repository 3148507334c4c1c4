"""The reference's random numbers on the CPU: 64-bit Mersenne twister, uniform and normal numbers, equal to the last bit.

Sources: M. Matsumoto, T. Nishimura, mt19937-64 (parameters and seeding of the standard `mt19937_64`); G. Marsaglia,
W. W. Tsang, "The Ziggurat Method for Generating Random Variables" (2000), with 128 layers.
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from functools import cache

import numpy as np
from numpy.typing import DTypeLike, NDArray

_N, _M = 312, 156
_UPPER = np.uint64(0xFFFFFFFF80000000)
_LOWER = np.uint64(0x7FFFFFFF)
_TWIST = np.uint64(0xB5026F5AA96619E9)
_TEMPER_B, _TEMPER_C, _TEMPER_D = (
    np.uint64(0x5555555555555555),
    np.uint64(0x71D67FFFEDA60000),
    np.uint64(0xFFF7EEE000000000),
)
_ONE, _S8, _S17, _S29, _S37, _S43 = (np.uint64(k) for k in (1, 8, 17, 29, 37, 43))
_BIT_11 = np.uint64(1 << 11)
_LAYER_BITS = np.uint64(255)
_MAX_BLOCK = 1 << 20  # numbers made at once: keeps temporary arrays within a few MB


class Generator:
    """A stream of random numbers that belongs to one seed (any whole number from 0 to 2^64 - 1).

    All methods take the next numbers of the same stream: two calls for 10 numbers give what one call for 20 gives.
    """

    def __init__(self, seed: int) -> None:
        self._state = _seeded(seed)
        self._words = np.empty(0, np.uint64)  # drawn from the twister, not used up yet
        self._at = 0

    def kept(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Where the stream is: the state of the twister, and the words that it has given and nobody has used."""
        return self._state, self._words[self._at :]

    def take(self, state: NDArray[np.uint64], words: NDArray[np.uint64]) -> None:
        """Goes on from what `kept` gave."""
        self._state, self._words, self._at = state, words, 0

    def words(self, n: int) -> NDArray[np.uint64]:
        """The next `n` 64-bit words."""
        words = self._peek(n)[:n]
        self._at += n
        return words.copy()

    def uniform(self, n: int, lo: float = 0.0, hi: float = 1.0, dtype: DTypeLike = np.float64) -> NDArray:
        """The next `n` numbers that are spread evenly over [lo, hi).

        A word w gives `w / 2^64 * (hi - lo) + lo` in double precision, rounded to `dtype` at the end; one that gives
        `hi` is skipped. With lo = hi all are `lo`, and nothing is drawn.

        Raises ValueError if lo is above hi.
        """
        if lo > hi:
            raise ValueError(f"empty range: {lo} to {hi}")
        if lo == hi:
            return np.full(n, lo, dtype)
        out = np.empty(n, dtype)
        done = 0
        while done < n:
            wanted = min(n - done, _MAX_BLOCK)
            values = self._peek(wanted)[:wanted].astype(np.float64)
            self._at += wanted
            values *= 2.0**-64
            values *= hi - lo
            values += lo
            if values.max() >= hi:
                values = values[values < hi]
            out[done : done + len(values)] = values
            done += len(values)
        return out

    def normal(self, n: int, mean: float = 0.0, std: float = 1.0, dtype: DTypeLike = np.float64) -> NDArray:
        """The next `n` numbers of the normal distribution, rounded from double precision to `dtype`."""
        out = np.empty(n, dtype)
        done = 0
        while done < n:
            values = self._ziggurat(min(n - done, _MAX_BLOCK))
            values *= std
            values += mean
            out[done : done + len(values)] = values
            done += len(values)
        return out

    def truncated_normal(self, n: int, mean: float = 0.0, std: float = 1.0, dtype: DTypeLike = np.float64) -> NDArray:
        """The next `n` normal numbers that are, rounded to `dtype`, at most two deviations away from the mean."""
        out = np.empty(n, dtype)
        kind = out.dtype.type
        done = 0
        while done < n:
            # Never more than are missing: what is drawn must be used, or the stream would run ahead.
            values = self.normal(n - done, mean, std, dtype)
            values = values[np.abs(values - kind(mean)) <= kind(2) * kind(std)]
            out[done : done + len(values)] = values
            done += len(values)
        return out

    def _peek(self, n: int) -> NDArray[np.uint64]:
        """At least the next `n` words, without using them up."""
        rest = len(self._words) - self._at
        if rest < n:
            self._words = np.concatenate([self._words[self._at :], self._draw(n - rest)])
            self._at = 0
        return self._words[self._at :]

    def _draw(self, n: int) -> NDArray[np.uint64]:
        """At least `n` new words: x[k+312] = x[k+156] ^ twist(upper bits of x[k], lower bits of x[k+1]), tempered.

        The recurrence reaches back 156 words at least, so 156 words are made at a time.
        """
        steps = -(-n // _M)
        x = np.empty(_N + steps * _M, np.uint64)
        x[:_N] = self._state
        mixed, odd = np.empty(_M, np.uint64), np.empty(_M, np.uint64)
        for k in range(0, steps * _M, _M):
            following = x[k + 1 : k + 1 + _M]
            np.bitwise_and(x[k : k + _M], _UPPER, out=mixed)
            np.bitwise_and(following, _LOWER, out=odd)
            np.bitwise_or(mixed, odd, out=mixed)
            np.right_shift(mixed, _ONE, out=mixed)
            np.bitwise_and(following, _ONE, out=odd)
            np.multiply(odd, _TWIST, out=odd)
            np.bitwise_xor(mixed, odd, out=mixed)
            np.bitwise_xor(mixed, x[k + _M : k + _N], out=x[k + _N : k + _N + _M])
        self._state = x[-_N:].copy()
        y = x[_N:]
        y ^= (y >> _S29) & _TEMPER_B
        y ^= (y << _S17) & _TEMPER_C
        y ^= (y << _S37) & _TEMPER_D
        y ^= y >> _S43
        return y

    def _ziggurat(self, n: int) -> NDArray[np.float64]:
        """The next standard normal numbers: `n`, or a few less, never none.

        Nearly all take one word. So each word of a block is first taken for the beginning of a number; then those
        words that are none, because they decide about the number before them, are struck out, in order.
        """
        x, _ = _layers()
        words = self._peek(n + n // 32 + 64)
        layer = ((words & _LAYER_BITS) >> _ONE).astype(np.intp)
        values = ((words & ~_BIT_11) >> _S8).astype(np.float64)
        values *= 2.0**-56
        values *= x[layer]
        begins = values < x[layer + 1]  # the word alone makes a number
        np.negative(values, out=values, where=(words & _ONE) == 0)
        ends: dict[int, int] = {}  # where a number ends that takes more than one word
        usable, settled = len(words), 0
        for at in np.flatnonzero(~begins).tolist():
            if at < settled:
                continue
            found = _outside(words, at, float(values[at]), int(layer[at]))
            if found is None:  # needs words that are not drawn yet
                usable = at
                break
            value, settled = found
            begins[at + 1 : settled] = False
            if value is not None:
                values[at] = value
                begins[at] = True
                ends[at] = settled
        where = np.flatnonzero(begins[:usable])[:n]
        last = int(where[-1])
        self._at += ends.get(last, last + 1)
        return values[where]


def _outside(words: NDArray[np.uint64], at: int, value: float, layer: int) -> tuple[float | None, int] | None:
    """Settles the word at `at`, whose number lies in the tail or in the wedge of its layer, with the words behind it.

    Returns the number, or None if there is to be another try, and the position behind the last word that was used;
    None if there are not enough words.
    """
    x, y = _layers()
    position = at + 1

    def uniform() -> float:
        nonlocal position
        while position < len(words):
            u = float(int(words[position])) * 2.0**-64
            position += 1
            if u < 1:
                return u
        raise IndexError

    try:
        if layer == 0:
            while True:
                a = -math.log(1 - uniform()) / x[1]
                b = -math.log(1 - uniform())
                if 2 * b > a * a:
                    return math.copysign(a + x[1], value), position
        level = y[layer] + uniform() * (y[layer + 1] - y[layer])
        return (value if level < math.exp(-value * value / 2) else None), position
    except IndexError:
        return None


def _seeded(seed: int) -> NDArray[np.uint64]:
    """The first state of the twister."""
    x = seed % 2**64
    state = [x]
    for i in range(1, _N):
        x = (6364136223846793005 * (x ^ (x >> 62)) + i) % 2**64
        state.append(x)
    return np.array(state, np.uint64)


@cache
def _layers() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Right edges X[0..128] and heights Y[0..128] of the 128 layers of equal area under exp(-x^2/2).

    X[1] is where the tail begins, X[0] = area / f(X[1]) stands for the lowest layer with its tail, X[128] = 0. Computed
    with 40 digits, since each edge builds on the one before.
    """
    with localcontext() as context:
        context.prec = 40
        r = Decimal("3.4426198558966521214")
        pi = Decimal("3.14159265358979323846264338327950288419717")

        def f(x: Decimal) -> Decimal:
            return (-x * x / 2).exp()

        # The area beyond r is sqrt(pi/2) minus that up to r, the sum of (-1)^k r^(2k+1) / (2^k k! (2k+1)).
        within, term, k = Decimal(0), r, 0
        while abs(term) > Decimal("1e-40"):
            within += term / (2 * k + 1)
            k += 1
            term *= -r * r / (2 * k)
        area = r * f(r) + (pi / 2).sqrt() - within
        edges = [area / f(r), r]
        while len(edges) < 128:
            edges.append((-2 * (area / edges[-1] + f(edges[-1])).ln()).sqrt())
        heights = [Decimal(0), *(f(x) for x in edges[1:]), Decimal(1)]
        edges.append(Decimal(0))
        return np.array([float(x) for x in edges]), np.array([float(y) for y in heights])
