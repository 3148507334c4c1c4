"""`matrixPrecision`: what torch is told, and words that it does not know."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from bsls.config import parse_config
from bsls.finding import BsError
from bstorch.precision import follow_matrix_precision


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False


@pytest.mark.parametrize(
    ("text", "word", "tf32"),
    [
        ("", "highest", False),
        ('matrixPrecision = "tf32"', "high", True),
        ("matrixPrecision = bfloat16", "medium", True),
    ],
)
def test_torch_is_told(text: str, word: str, tf32: bool) -> None:
    torch.set_float32_matmul_precision("high")  # of a run before
    follow_matrix_precision(parse_config(text + "\n"))
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == (word, tf32)


def test_an_unknown_word() -> None:
    with pytest.raises(BsError, match="unknown word"):
        follow_matrix_precision(parse_config("matrixPrecision = half\n"))
