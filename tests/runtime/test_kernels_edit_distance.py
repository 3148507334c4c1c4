"""Edit distances of label strings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kernel_cases import compiled, make_node, x
from test_kernels_delays import packed

from bstorch.program.layout import MinibatchLayout


def one_hot(labels: list[int]) -> np.ndarray:
    return np.eye(4)[labels]


def error(said: list[list[int]], meant: list[list[int]], **attributes: object) -> float:
    layout = MinibatchLayout.packed([len(s) for s in said])
    values = [packed(layout, [one_hot(s) for s in strings]) for strings in (said, meant)]
    value: torch.Tensor = compiled(make_node("EditDistanceError", [x(4), x(4)], attributes), layout=layout)(*values)
    return float(value)


@pytest.mark.parametrize(("said", "meant", "attributes", "wanted"), [
    ([[0, 1, 2]], [[0, 1, 2]], {}, 0),
    ([[0, 1, 2]], [[0, 3, 2]], {}, 1),
    ([[0, 1, 2, 3]], [[1, 2, 3, 3]], {}, 2),  # one is deleted, one inserted
    ([[0, 1], [2, 3, 3]], [[1, 1], [2, 3, 3]], {}, 1),
    ([[0, 0, 1, 1]], [[0, 1, 1, 1]], {"squashInputs": True}, 0),
    ([[0, 1, 2, 3]], [[0, 1, 3, 3]], {"squashInputs": True}, 1),
    ([[0, 1, 3, 2]], [[3, 0, 1, 2]], {"tokensToIgnore": [3]}, 0),
    # Of three tokens that are left one is wrong, for four frames.
    ([[0, 1, 3, 2]], [[3, 0, 2, 2]], {"tokensToIgnore": [3]}, 4 / 3),
    # Where a substitution is dear, a deletion and an insertion take its place.
    ([[0, 1, 2]], [[0, 3, 2]], {"subPen": 3.0}, 2),
])  # fmt: skip
def test_edits(said: list[list[int]], meant: list[list[int]], attributes: dict[str, object], wanted: float) -> None:
    assert error(said, meant, **attributes) == pytest.approx(wanted)
