"""`--detect-anomaly`: the first node whose value or gradient is not finite ends the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bsls.finding import BsError
from bsls.network.node import Node

_ADVICE = "look at its inputs; a lower learning rate or clippingThresholdPerSample often helps"


def check_finite(node: Node, value: object, what: str = "value", help: str = _ADVICE) -> None:
    """Raises BsError where a value of the node holds NaN or an infinite number."""
    if not isinstance(value, Tensor) or value.layout is not torch.strided or not value.dtype.is_floating_point:
        return
    finite = torch.isfinite(value)
    if bool(finite.all()):
        return
    nans, wrong = int(torch.isnan(value).sum()), int((~finite).sum())
    kinds = " and ".join(f"{n} {kind}" for n, kind in ((nans, "NaN"), (wrong - nans, "infinite")) if n)
    raise BsError(
        "not-finite",
        f"the {what} of '{node.name}' ({node.op}) is not finite: {kinds} of {value.numel()} numbers",
        node.origin,
        help=help,
    )


def watched(node: Node, forward: Callable[..., Any]) -> Callable[..., Any]:
    """`forward` with its value checked, and the gradient that comes back to it.

    Gradients are computed from the criterion on, so that the first one found is where the trouble begins.
    """

    def watching(*values: Any) -> Any:
        value = forward(*values)
        check_finite(node, value)
        if isinstance(value, Tensor) and value.requires_grad:
            value.register_hook(lambda gradient: check_finite(node, gradient, "gradient"))
        return value

    return watching
