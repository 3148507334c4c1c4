"""The random numbers against published values, values of the reference, and a plain reading of the algorithms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bstorch.random import Generator, _layers


def test_words_of_the_standard_generator() -> None:
    words = Generator(5489).words(10_000)
    assert words[0] == 14514284786278117030
    assert words[-1] == 9981545732273789042  # what the C++ standard requires of mt19937_64


def test_uniform_float_of_seed_1() -> None:
    range_ = float(np.float32(0.05))
    expected = [-0.0366123356, -0.0363592952, -0.0048785098, -0.0478975773, -0.0149101885, 0.0411358066]
    assert Generator(1).uniform(6, -range_, range_, np.float32) == pytest.approx(expected, abs=6e-11)


def test_normal_of_seed_1() -> None:
    expected = [-0.068310689552, -0.077813175089, -0.183845588725, -0.00907404847, -0.221336684168, 0.533840479362]
    assert Generator(1).normal(6, 0.0, 0.3) == pytest.approx(expected, abs=6e-13)


def test_truncated_normal_of_seed_1() -> None:
    assert Generator(1).truncated_normal(3) == pytest.approx(
        [-0.227702298507, -0.259377250296, -0.612818629], abs=6e-10
    )
    assert np.abs(Generator(2).truncated_normal(10_000, 1.0, 0.5, np.float32) - 1).max() <= 1


def test_dropout_mask_of_seed_1() -> None:
    kept = Generator(1).uniform(15, dtype=np.float32) > 0.5
    assert (2 * kept).tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 2, 2, 0, 2, 2, 0, 0]


def test_layers() -> None:
    x, y = _layers()
    assert (x[0], x[1], x[128]) == (3.7130862467403632609, 3.4426198558966521214, 0)
    assert (y[0], y[128]) == (0, 1)
    areas = x[1:128] * (y[2:] - y[1:128])
    assert areas == pytest.approx(x[0] * y[1], rel=1e-13)


def test_nothing_to_draw() -> None:
    generator = Generator(0)
    assert generator.uniform(3, 0.5, 0.5).tolist() == [0.5] * 3
    assert len(generator.normal(0)) == len(generator.uniform(0)) == 0
    assert generator.words(1)[0] == Generator(0).words(1)[0]
    with pytest.raises(ValueError, match="empty range"):
        generator.uniform(1, 1.0, 0.0)


def plain_normals(words: list[int], n: int) -> list[float]:
    """The ziggurat, one number at a time."""
    x, y = _layers()
    stream = iter(words)

    def uniform() -> float:
        return next(stream) / 2.0**64

    found: list[float] = []
    while len(found) < n:
        word = next(stream)
        sign, layer = (word & 1) * 2 - 1, (word & 255) >> 1
        value = float((word & ~(1 << 11)) >> 8) / 2.0**56 * x[layer]
        if value < x[layer + 1]:
            found.append(sign * value)
        elif layer == 0:
            while True:
                a, b = -math.log(1 - uniform()) / x[1], -math.log(1 - uniform())
                if 2 * b > a * a:
                    break
            found.append(sign * (a + x[1]))
        elif y[layer] + uniform() * (y[layer + 1] - y[layer]) < math.exp(-value * value / 2):
            found.append(sign * value)
    return found


def test_normals_equal_the_plain_algorithm() -> None:
    words = Generator(7).words(60_000).tolist()
    expected = plain_normals(words, 50_000)
    assert max(abs(v) for v in expected) > 3.4426  # the tail is among them
    assert Generator(7).normal(50_000).tolist() == expected


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(["words", "uniform", "normal", "truncated_normal"]), st.integers(0, 700)), max_size=8
    )
)
def test_calls_share_one_stream(calls: list[tuple[str, int]]) -> None:
    """However the numbers are asked for, each takes the words it needs and no more."""
    parts, whole = Generator(11), Generator(11)
    for kind, n in calls:
        pieces = [getattr(parts, kind)(k) for k in (n // 3, n - n // 3)]
        assert np.array_equal(np.concatenate(pieces), getattr(whole, kind)(n))
