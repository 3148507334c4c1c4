"""Convolutions of all kinds against sums written down as loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kernel_cases import Operand, check, compiled, make_node, p, x
from numpy.typing import NDArray
from window_cases import along, convolved

from bsls.finding import BsError

FULL = {"stride": 1, "auto": False, "lower": 0, "upper": 0, "dilation": 1}


def options(kernel: tuple[int, ...], maps: object, axes: list[dict], **more: object) -> dict[str, object]:
    """Attributes of a Convolution from what is said of each axis."""
    rows = [FULL | a for a in axes]
    return {
        "kernelShape": kernel,
        "mapCount": maps,
        "strideShape": tuple(r["stride"] for r in rows),
        "dimPadding": tuple(r["auto"] for r in rows),
        "dimPadLower": tuple(r["lower"] for r in rows),
        "dimPadUpper": tuple(r["upper"] for r in rows),
        "dimDilation": tuple(r["dilation"] for r in rows),
        **more,
    }


def cells(image: tuple[int, ...], kernel: tuple[int, ...], axes: list[dict]) -> list[list[list[int]]]:
    return [along(d, k, **a) for d, k, a in zip(image, kernel, axes, strict=True)]


def shared(w: NDArray, size: int):
    """Weights in memory: the window fastest, then the maps."""
    return lambda place, m, k: w.reshape(-1, size)[m, k]


def check_convolution(image: tuple[int, ...], kernel: tuple[int, ...], maps: int, axes: list[dict], **more: object):
    """A convolution with its maps on the last axis, forward and gradients, and with frames and without."""
    windows = cells(image, kernel, axes)
    size = int(np.prod(kernel))

    def expected(w, v):
        frames = v if v.ndim > len(image) else v[None]
        found = np.stack([convolved(f, windows, shared(w, size), maps) for f in frames])
        return found if v.ndim > len(image) else found[0]

    for operand in (x(*image), Operand(image, framed=False)):
        check("Convolution", [p(*kernel, maps), operand], expected, options(kernel, maps, axes, **more))


WHOLE = {"stride": 2}  # the two channels in one step


@pytest.mark.parametrize(
    ("width", "height"),
    [
        ({}, {}),
        ({"auto": True}, {"auto": True}),
        ({"auto": True, "stride": 2}, {"auto": True, "stride": 2}),
        ({"auto": True, "stride": 2}, {}),
        ({"stride": 2}, {"stride": 3}),
        ({"lower": 2}, {"upper": 1}),
        ({"lower": 1, "upper": 1}, {"lower": 1, "upper": 1}),
        ({"dilation": 2}, {}),
        ({"dilation": 2, "auto": True}, {"auto": True}),
    ],
)
@pytest.mark.parametrize("kernel", [(3, 3, 2), (2, 2, 2), (1, 3, 2), (2, 1, 2)])
def test_images(width, height, kernel):
    check_convolution((5, 4, 2), kernel, 3, [width, height, WHOLE])


def test_kernels_without_the_channels_cover_them():
    axes = [{"auto": True}, {"auto": True}]
    check(
        "Convolution", [p(3, 3, 2, 3), x(5, 4, 2)],
        lambda w, v: np.stack([
            convolved(f, [*cells((5, 4), (3, 3), axes), along(2, 2)], shared(w, 18), 3) for f in v
        ]),
        {"kernelShape": (3, 3), "mapCount": 3, "dimPadding": True},
    )  # fmt: skip


def test_sequences_of_cells_and_volumes():
    check_convolution((6, 2), (3, 2), 3, [{"auto": True}, WHOLE])
    check_convolution((5, 3, 2, 2), (2, 3, 1, 2), 2, [{"stride": 2}, {"auto": True}, {}, WHOLE])


def test_windows_that_slide_over_the_last_axis():
    check_convolution((5, 4), (3, 2), 1, [{"auto": True}, {}])
    check_convolution((5,), (3,), 1, [{"stride": 2}])
    check_convolution((4, 3, 3), (2, 2, 2), 1, [{}, {"auto": True}, {}])
    check_convolution((2, 3, 2, 3), (2, 2, 2, 2), 1, [{"auto": True}, {}, {}, {}])  # more axes than torch has


def test_maps_follow_the_positions_of_their_axis():
    windows = cells((5, 4), (3, 2), [{}, {}])

    def expected(w, v):
        found = np.stack([convolved(f, windows, shared(w, 6), 6) for f in v])  # frames, maps, 3 rows, 3 columns
        return found.reshape(-1, 2, 3, 3, 3).transpose(0, 1, 3, 2, 4).reshape(-1, 6, 9)

    check("Convolution", [p(3, 2, 3, 2), x(5, 4)], expected, options((3, 2), (3, 2), [{}, {}]))


@pytest.mark.parametrize("sharing", [(False, False, True), (False, True, True), (True, False, True)])
@pytest.mark.parametrize("padded", [True, False])
def test_unshared_weights(sharing, padded):
    """A kernel for each position of an axis that does not share them, then for each map."""
    image, kernel, maps = (4, 3, 2), (2, 3, 2), 2
    axes = [{"auto": padded}, {"auto": padded, "stride": 2}, WHOLE]
    windows = cells(image, kernel, axes)
    counts = [len(w) if not s else 1 for w, s in zip(windows, sharing, strict=True)]

    def expected(w, v):
        bank = w.reshape(maps, counts[1], counts[0], 12)

        def weight(place, m, k):
            return bank[m, 0 if sharing[1] else place[1], 0 if sharing[0] else place[0], k]

        return np.stack([convolved(f, windows, weight, maps) for f in v])

    weights = p(12 * counts[0] * counts[1] * maps)
    check("Convolution", [weights, x(*image)], expected, options(kernel, maps, axes, dimSharing=sharing))


TRANSPOSABLE = [
    ((2, 2, 2), (3, 2, 2), (2, 2, 2), [{}, {}, {}], {}),
    ((4, 4, 2), (2, 2, 2), (2, 2, 2), [{"stride": 2}, {"stride": 2}, WHOLE], {}),
    ((5, 3, 2), (3, 2, 3), (3, 3, 2), [{"auto": True, "stride": 2}, {"auto": True, "stride": 2}, WHOLE], {}),
    ((6, 4, 2), (3, 2, 3), (3, 3, 2), [{"auto": True, "stride": 2}] * 2 + [WHOLE], {"dimOutputShape": (6, 4, 2)}),
    ((5, 4, 2), (3, 4, 3), (3, 2, 2), [{"lower": 1, "stride": 2, "upper": 1}, {"lower": 1}, WHOLE], {}),
    ((4, 2), (3, 2), (2, 2), [{}, WHOLE], {}),
    ((4, 3), (3, 2), (2, 2), [{}, {}], {}),
]


@pytest.mark.parametrize(("image", "result", "kernel", "axes", "more"), TRANSPOSABLE)
@pytest.mark.parametrize("framed", [True, False])
def test_transposed(image, result, kernel, axes, more, framed):
    """The transposed map is the gradient of the sum of what the convolution gives, weighted by the operand."""
    windows = cells(image, kernel, axes)
    maps = result[-1] // len(windows[-1]) if len(windows[-1]) > 1 else result[-1]
    operand_dims = (*(len(w) for w in windows[:-1]), len(windows[-1]) * maps)
    size = int(np.prod(kernel))

    def expected(w, v):
        frames = v if framed else v[None]
        found = []
        for f in frames:
            out = np.zeros(image[::-1])
            for index in np.ndindex(*out.shape):
                unit = np.zeros(image[::-1])
                unit[index] = 1
                out[index] = (convolved(unit, windows, shared(w, size), maps).reshape(f.shape) * f).sum()
            found.append(out)
        return np.stack(found) if framed else found[0]

    check(
        "Convolution", [p(*kernel, maps), Operand(operand_dims, framed)], expected,
        options(kernel, maps, axes, transpose=True, **more),
    )  # fmt: skip


def test_transposed_with_unshared_weights():
    image, kernel, maps = (3, 3, 1), (2, 2, 1), 2
    forward = options(kernel, maps, [{}, {}, {}], dimSharing=(False, False, True))
    weights, small, large = p(4 * 4 * maps), x(2, 2, maps), x(*image)
    up = compiled(make_node("Convolution", [weights, small], forward | {"transpose": True}))
    down = compiled(make_node("Convolution", [weights, large], forward))
    w, a, b = (torch.tensor(o.array(np.random.default_rng(i))) for i, o in enumerate((weights, small, large)))
    torch.testing.assert_close((up(w, a) * b).sum(), (down(w, b) * a).sum())
    assert torch.autograd.gradcheck(up, (w.requires_grad_(True), a.requires_grad_(True)))


@pytest.mark.parametrize(("padded", "stride"), [(False, 1), (False, 2), (True, 1), (True, 2)])
@pytest.mark.parametrize("two_dimensional", [True, False])
def test_channels_first(padded, stride, two_dimensional):
    """Old layout: channels fastest, then the height; weights with the maps fastest; windows begin k div 2 before."""
    kernel, channels, maps, size = (3, 2), 2, 3, 5
    count = (size - 1) // stride + 1 if padded else None

    def axis(k: int) -> list[list[int]]:
        n = count or (size - k) // stride + 1
        return [[i * stride - (k // 2 if padded else 0) + j for j in range(k)] for i in range(n)]

    windows = [axis(kernel[1]), axis(kernel[0]), [[0, 1]]]  # height, width, channels

    def expected(w, v):
        bank = w.reshape(channels, kernel[0], kernel[1], maps)  # as it lies in memory
        weight = lambda place, m, k: bank.transpose(3, 0, 1, 2).reshape(maps, -1)[m, k]  # noqa: E731
        images = v.reshape(-1, size, size, channels).transpose(0, 3, 1, 2)
        return np.stack([convolved(f, windows, weight, maps) for f in images])[:, :, 0].transpose(0, 2, 3, 1)

    attributes: dict[str, object] = {
        "kernelShape": (*kernel, channels), "mapCount": (maps,), "strideShape": (stride, stride, channels),
        "dimPadding": (padded, padded, False), "imageLayout": "HWC",
    }  # fmt: skip
    if two_dimensional:
        dims, weights = (channels, size, size), p(maps, 6 * channels)
        attributes["convolution2D"] = True
    else:
        dims, weights = (size, size, channels), p(6 * channels * maps)
    node = make_node("Convolution", [weights, x(*dims)], attributes)
    generator = np.random.default_rng(2)
    w, v = (o.array(generator) for o in (weights, x(*dims)))
    found = compiled(node)(torch.tensor(w), torch.tensor(v))
    wanted = expected(w, v)
    np.testing.assert_allclose(found.numpy().reshape(wanted.shape), wanted, rtol=1e-12)
    tensors = [torch.tensor(a, requires_grad=True) for a in (w, v)]
    assert torch.autograd.gradcheck(compiled(node), tensors)


def test_old_form_with_channels_last():
    """Weights [maps x window]: in memory they are the same as those of the newer form."""
    windows = [along(4, 3, auto=True), along(4, 3, auto=True), [[0, 1]]]
    check(
        "Convolution", [p(3, 18), x(4, 4, 2)],
        lambda w, v: np.stack([convolved(f, windows, shared(w, 18), 3) for f in v]),
        {"kernelShape": (3, 3, 1), "mapCount": (3,), "strideShape": (1, 1, 1), "dimPadding": (True,),
         "convolution2D": True},
    )  # fmt: skip


def test_random_geometries():
    generator = np.random.default_rng(7)
    for _ in range(25):
        rank = int(generator.integers(1, 4))
        image = [int(d) for d in generator.integers(1, 6, rank)]
        kernel = [int(generator.integers(1, d + 1)) for d in image]
        axes = [{"stride": int(generator.integers(1, 4)), "auto": bool(generator.integers(2))} for _ in range(rank - 1)]
        kernel[-1] = image[-1]
        check_convolution(tuple(image), tuple(kernel), 2, [*axes, {"stride": image[-1]}])


@pytest.mark.parametrize("frames", [0, 1])
def test_few_frames(frames):
    axes = [{"auto": True}, {}, WHOLE]
    for more in ({}, {"dimSharing": (False, False, True)}, {"transpose": True}):
        operand = x(3, 3, 4) if "transpose" in more else x(3, 4, 2)
        weights = p(*((3, 2, 2, 4) if "dimSharing" not in more else (12 * 9 * 4,)))
        forward = compiled(make_node("Convolution", [weights, operand], options((3, 2, 2), 4, axes, **more)))
        w = torch.ones(weights.dims[::-1], dtype=torch.float64, requires_grad=True)
        v = torch.ones(frames, *operand.dims[::-1], dtype=torch.float64, requires_grad=True)
        value = forward(w, v)
        assert len(value) == frames
        gradients = torch.autograd.grad(value.sum(), (w, v))
        assert all(torch.isfinite(g).all() for g in gradients)


def test_symmetric_padding_copies_nothing():
    """All that runs is torch's convolution, where the images have their channels last in memory as it leaves them."""
    node = make_node("Convolution", [p(3, 3, 2, 4), x(6, 6, 2)], options((3, 3, 2), 4, [{"auto": True}] * 2 + [WHOLE]))
    w, v = (
        t.to(torch.float64, memory_format=torch.channels_last) for t in (torch.ones(4, 2, 3, 3), torch.ones(4, 2, 6, 6))
    )
    with torch.profiler.profile() as profile:
        compiled(node)(w, v)
    names = [e.key for e in profile.key_averages()]
    assert not [n for n in names if "pad" in n or "copy" in n or "clone" in n], names


def test_weights_that_differ_between_frames_are_refused():
    node = make_node("Convolution", [x(2, 2, 1, 1), x(3, 3, 1)], options((2, 2, 1), 1, [{}] * 3))
    with pytest.raises(BsError, match="differ from frame to frame"):
        compiled(node)
