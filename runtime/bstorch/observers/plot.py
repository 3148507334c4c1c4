"""Curves of criteria and evaluations over the epochs of a training (`--plot FILE.png|.svg`), drawn after each epoch."""

from __future__ import annotations

import os
from collections.abc import Callable

from bsls.config.assemble import option_span
from bsls.finding import BsError
from bsls.modelfile.atomic import atomic_file, make_folder
from bstorch.events import EpochEnd, Observer, Training
from bstorch.pace import Pace
from bstorch.training import log

FORMATS = (".png", ".svg")


class Plot(Observer):
    """Draws to the file `path`; where several commands train, to one for each, as `curves.Train.png`.

    Raises BsError for a name without a known ending.
    """

    def __init__(self, path: str, say: Callable[[str], None]) -> None:
        self._given = self._path = path
        self._say = say
        self._training: Training | None = None
        self._ends: dict[int, EpochEnd] = {}
        if os.path.splitext(path)[1].lower() not in FORMATS:
            raise BsError(
                "usage", f"the plot '{path}' is neither a .png nor a .svg file", option_span("plot", path),
                help="give --plot a name that ends in .png or .svg",
            )  # fmt: skip

    def training_begins(self, training: Training, pace: Pace) -> None:
        if training.several:
            root, ending = os.path.splitext(self._given)
            self._path = f"{root}.{training.command}{ending}"
        try:
            make_folder(os.path.dirname(self._path) or ".")
        except OSError as error:
            raise BsError(
                "file-write", f"cannot write '{self._path}': {error.strerror}", option_span("plot", self._given),
                help="give --plot another file",
            ) from error  # fmt: skip
        self._training, self._ends = training, {}

    def epoch_ends(self, end: EpochEnd) -> None:
        if self._training is None:
            return
        self._ends[end.epoch] = end
        if self._training.validates and end.validated is None:
            return  # drawn when that is known
        try:
            self._draw(self._training)
        except BsError as error:  # a training is worth more than its curves
            self._training = None
            self._say(f"WARNING: nothing more is drawn: {error.finding.message}.")

    def _draw(self, training: Training) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

        names, epochs = training.names, sorted(self._ends)
        figure = Figure(figsize=(8, 1.2 + 2.6 * len(names)), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(len(names), sharex=True, squeeze=False)[:, 0]
        for i, (name, axes) in enumerate(zip(names, panels, strict=True)):
            scale = 100 if log.in_percent(name) else 1
            ends = [self._ends[e] for e in epochs]
            marker = "o" if len(epochs) <= 50 else ""
            axes.plot(
                epochs, [scale * e.trained[i].average for e in ends], marker=marker, markersize=3, label="training"
            )
            tested = [(e.epoch, scale * e.validated[i].average) for e in ends if e.validated is not None]
            if tested:
                axes.plot(*zip(*tested, strict=True), marker=marker, markersize=3, label="validation")
            axes.set_ylabel(f"{name} [%]" if scale != 1 else name)
            axes.grid(alpha=0.3)
        panels[0].legend()
        panels[0].set_title(training.command)
        panels[-1].set_xlabel("epoch")
        panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        with atomic_file(self._path) as file:
            figure.savefig(file, format=os.path.splitext(self._path)[1][1:].lower(), dpi=120)
