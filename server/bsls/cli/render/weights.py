"""What `bsls model weights` prints of the values of a parameter: what they are like, and how they are spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bsls.cli.render.totals import counted, plain
from bsls.network.node import Node

if TYPE_CHECKING:
    import numpy as np

_BINS, _WIDTH = 16, 40


def statistics(values: np.ndarray) -> dict[str, Any]:
    """Numbers about values of any shape: null where there are none. Those that are not finite are counted apart; mean,
    deviation and the counts of the histogram (with the bounds of its first and last bin) are of the others."""
    import numpy as np

    finite = values[np.isfinite(values)].astype(np.float64)
    found: dict[str, Any] = {
        "values": values.size, "zeros": int(np.sum(values == 0)), "nan": int(np.isnan(values).sum()),
        "infinite": int(np.isinf(values).sum()),
    }  # fmt: skip
    if not finite.size:
        return found | dict.fromkeys(("min", "max", "mean", "deviation", "histogram"))
    counts, edges = np.histogram(finite, _BINS)
    return found | {
        "min": float(finite.min()), "max": float(finite.max()), "mean": float(finite.mean()),
        "deviation": float(finite.std()),
        "histogram": {"counts": counts.tolist(), "from": float(edges[0]), "to": float(edges[-1])},
    }  # fmt: skip


def as_json(node: Node, values: np.ndarray) -> dict[str, Any]:
    return {"name": node.name, "op": node.op, "dims": list(values.shape[::-1]), **statistics(values)}


def as_text(node: Node, values: np.ndarray) -> str:
    """The same for people."""
    found = statistics(values)
    shape = " x ".join(map(str, values.shape[::-1]))
    lines = [f"{plain(node.name)}: {node.op} [{shape}], {counted(values.size, 'value')}, {values.dtype}", ""]
    lines += [
        f"  {name:12}{found[name]:.6g}" for name in ("min", "max", "mean", "deviation") if found[name] is not None
    ]
    lines += [f"  {name:12}{found[name]:,}" for name in ("zeros", "nan", "infinite") if found[name] or name == "zeros"]
    histogram = found["histogram"]
    if histogram is not None and found["min"] < found["max"]:
        lines.append("")
        step = (histogram["to"] - histogram["from"]) / _BINS
        most = max(histogram["counts"])
        for i, number in enumerate(histogram["counts"]):
            bar = "#" * -(-number * _WIDTH // most)
            lines.append(f"  {histogram['from'] + i * step:12.4g}  {bar:{_WIDTH}}  {number:,}")
    return "\n".join(lines) + "\n"
