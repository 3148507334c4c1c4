"""An epoch of the auto-encoder example beside the same network, data and update in hand-written PyTorch, one thread each.

Goal: at least as fast. The seconds of an epoch are each program's own, from the second epoch on.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

from pairs import in_turns, show

DIGITS = Path(__file__).resolve().parent.parent / "examples" / "digits"
EPOCHS = 15
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def ours() -> float:
    """Median seconds of an epoch of `bsls run`."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [
            "configFile=autoencoder.cntk",
            "command=Train",
            f"modelPath={folder}/m.dnn",
            f"Train=[SGD=[maxEpochs={EPOCHS}]]",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "bsls", "run", *arguments],
            cwd=DIGITS,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=True,
        )
    return median([float(s) for s in re.findall(r"epochTime=([\d.e-]+)s", done.stderr)][1:])


def theirs() -> float:
    """Median seconds of an epoch of the twin."""
    done = subprocess.run(
        [sys.executable, __file__, "twin"], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def twin() -> None:
    """The same training as one would write it in PyTorch: data in memory, shuffled, momentum SGD."""
    import torch

    with (DIGITS / "train.txt").open() as file:
        rows = [re.search(r"\|pixels ([^|]*)", line) for line in file]
    data = torch.tensor([[float(v) for v in m.group(1).split()] for m in rows if m])
    sizes = [64, 48, 40, 32, 40, 48, 64]
    layers: list[torch.nn.Module] = []
    for i, (n, m) in enumerate(pairwise(sizes)):
        layers += [torch.nn.Linear(n, m), torch.nn.Sigmoid() if i == 5 else torch.nn.Tanh()]
        torch.nn.init.xavier_uniform_(layers[-2].weight)  # type: ignore[arg-type]
        torch.nn.init.zeros_(layers[-2].bias)  # type: ignore[arg-type]
    model = torch.nn.Sequential(*layers)
    momentum = 0.85
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02 * (1 - momentum), momentum=momentum)
    seconds: list[float] = []
    for _ in range(EPOCHS):
        began = time.perf_counter()
        total = torch.zeros(())
        for batch in torch.randperm(len(data)).split(32):
            x = data[batch]
            loss = ((model(x) - x) ** 2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
        total.item()
        seconds.append(time.perf_counter() - began)
    print(median(seconds[1:]))


def main() -> None:
    mine, other = in_turns(ours, theirs, 5)
    show(
        "An epoch of examples/digits/autoencoder.cntk (45 minibatches)", "bsls run", mine, "hand-written PyTorch", other
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["twin"]:
        twin()
    else:
        main()
