"""What is wrong with a model that can be read: shapes that do not fit, values that are no numbers, bytes behind the end."""

from __future__ import annotations

from bsls.modelfile import v1, v2
from bsls.network.network import Network
from bsls.network.validation import validate


def problems(network: Network, path: str) -> list[str]:
    """A sentence for each problem of `network`, which was read from `path`; all values are read.

    Raises BsError if the file was changed since.
    """
    import numpy as np

    found = [finding.message for finding in validate(network).findings]
    for node in network.by_name():
        if node.value is None:
            continue
        values = node.value.array()
        bad = values.size - int(np.count_nonzero(np.isfinite(values)))
        if bad:
            found.append(f"'{node.name}' has {bad} of {values.size} values that are not finite numbers")
    if not v2.is_v2(path) and (extra := v1.bytes_behind(path)):
        found.append(f"there are {extra} bytes behind the end of the model")
    return found
