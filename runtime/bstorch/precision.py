"""`matrixPrecision`: how exact products and convolutions in single precision are.

In full, unless the config asks for less: the faster units of processors round the factors.
"""

from __future__ import annotations

import torch

from bsls.config.section import Section

KEY = "matrixPrecision"
WORDS = {"full": "highest", "tf32": "high", "bfloat16": "medium"}
"""Torch's words for it."""


def follow_matrix_precision(config: Section) -> None:
    """Sets torch to what the config says. Raises BsError for an unknown word."""
    value = config.get(KEY)
    word = "full" if value is None else value.text.lower()
    if value is not None and word not in WORDS:
        raise value.error("an unknown word", f"use {', '.join(WORDS)}")
    torch.set_float32_matmul_precision(WORDS[word])
    torch.backends.cudnn.allow_tf32 = word != "full"
