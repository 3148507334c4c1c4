"""What an evaluation needs from outside, and its bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from bsls.evaluate.values import UnknownValue
from bsls.finding import BsError, Finding
from bsls.network.network import AxisNames, Network
from bsls.network.validation import Validation
from bsls.source import Span


@dataclass(slots=True)
class Limits:
    """Bounds of one evaluation; going over one is a finding, never a hang."""

    steps: int = 5_000_000
    depth: int = 50_000
    """Evaluations inside one another."""
    paths: int = 500_000_000
    """Characters of all long paths; they get longer with depth."""
    nodes: int = 500_000
    elements: int = 500_000
    """Elements of all arrays that are made by index."""
    string: int = 10_000_000
    """Characters of a string."""


@dataclass(slots=True)
class Counters:
    """What runs on over all networks of a run: seeds of random initial values, names of axes, numbers of nodes
    without name. NDL has seeds of its own."""

    seed: int = 1
    axis_names: AxisNames = field(default_factory=AxisNames)
    constant_seed: bool = False
    ndl_seed: int = 1
    unnamed: int = 0
    auto_names: int = 0

    def next_seed(self) -> int:
        seed = 1 if self.constant_seed else self.seed
        self.seed += 1
        return seed

    def next_ndl_seed(self) -> int:
        seed = 1 if self.constant_seed else self.ndl_seed
        self.ndl_seed += 1
        return seed

    def next_unnamed(self) -> int:
        """The number of the next thing in NDL that has no name, a number or a call."""
        self.unnamed += 1
        return self.unnamed

    def next_auto_name(self) -> str:
        """The name of the next node of a SimpleNetworkBuilder that has none of its own."""
        self.auto_names += 1
        return f"AutoName{self.auto_names}"

    def skip(self, others: Counters) -> None:
        """Counts on as if the networks that `others` counted had been made here."""
        self.seed += others.seed - 1
        self.ndl_seed += others.ndl_seed - 1
        self.unnamed += others.unnamed
        self.auto_names += others.auto_names


@dataclass(slots=True)
class Model:
    """The network of a model file, validated. It is not `complete` if it is foreseen and not all of it is known.

    `names` are those of its nodes when it was loaded; the members of a description may give them others.
    """

    network: Network
    validation: Validation
    complete: bool = True
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.names = tuple(node.name for node in self.network)


def no_model(path: str, span: Span | None) -> Model | None:
    """A loader that knows no model."""
    return None


@dataclass(slots=True)
class Environment:
    """`load` returns the network of a model file (a fresh copy), or None where nothing is known of it; it may raise.
    The models that an evaluation loaded are in `loaded`.

    Strict evaluation raises the first problem, tolerant evaluation collects them in `findings` and goes on.
    """

    precision: str = "float"
    device: int = -1
    trace_level: int = 1
    strict: bool = True
    counters: Counters = field(default_factory=Counters)
    load: Callable[[str, Span | None], Model | None] = no_model
    loaded: list[Model] = field(default_factory=list)
    matrix_size: Callable[[str], tuple[int, int] | None] = lambda path: None
    """Rows and columns of a text file with a matrix, None where it cannot be read."""
    limits: Limits = field(default_factory=Limits)
    cancel: Event | None = None
    printed: Callable[[str], None] = lambda text: None
    findings: list[Finding] = field(default_factory=list)

    def note(self, problem: Finding | BsError) -> None:
        """Takes down a finding, once for each place."""
        if isinstance(problem, UnknownValue):
            return
        finding = problem.finding if isinstance(problem, BsError) else problem
        if not any(f.span == finding.span and f.rule == finding.rule for f in self.findings):
            self.findings.append(finding)
