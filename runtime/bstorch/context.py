"""What the actions of a run share: where lines go, the device, events."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TextIO

import torch

from bsls.evaluate.environment import Counters
from bsls.project.project import Project
from bstorch.events import Events
from bstorch.kernels.base import Environment


@dataclass(slots=True)
class RunContext:
    """A run as its actions see it; `stderr` takes the log."""

    project: Project
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    events: Events = field(default_factory=Events)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    detect_anomaly: bool = False
    command: str = ""
    commands: list[str] = field(default_factory=list)
    """All that are run, as `command = ...` names them."""
    skipped: Counters = field(default_factory=Counters)
    """What the networks of skipped commands have counted when this run was begun, before it was interrupted."""

    def say(self, line: str = "") -> None:
        """Writes a line of the log."""
        self.stderr.write(line + "\n")

    def say_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.say(line)

    def flush(self) -> None:
        self.stderr.flush()

    def environment(self, *, training: bool = False, fast_random: bool = False) -> Environment:
        """What a program of this run is computed in."""
        return Environment(
            training=training,
            device=self.device,
            fast_random=fast_random,
            say=self.say,
            detect_anomaly=self.detect_anomaly,
        )

    @property
    def trains_several(self) -> bool:
        """Whether more than one command of the run trains, so that what is written beside models needs a name for each."""
        return sum(c.kind.trains for c in self.project.commands()) > 1

    @property
    def device_name(self) -> str:
        """`CPU`, or `GPU 0`, as the log calls the device."""
        return "CPU" if self.device.type == "cpu" else f"GPU {self.device.index or 0}"
