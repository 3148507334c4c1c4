"""The networks of CNTK's own end-to-end tests (version 2.7) against the logs that lie beside them as baselines.

    python tests/public_baselines.py FOLDER [PART]     prints the numbers, and the nodes that differ

FOLDER is a checkout of CNTK 2.7, of which nothing is kept here; `make test-all` reads it where BSLS_CNTK names it.
PART, if given, is a part of the path of the logs to look at. Nothing is run and no data are there: each config is
evaluated with the arguments that stand in the log. A node agrees if one of the networks of that run has a node of that
name, with the same operation, inputs and shapes; numbers of dynamic axes (`*1`) do not count. All logs were written by
older versions of CNTK, so that some differences are theirs: `OLDER` tells them apart.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from bsls.finding import BsError
from bsls.network.printing import evaluation_log
from bsls.project.project import Project
from public_configs import logged_runs

_LINE = re.compile(r"Validating --> (.*?)\s*$", re.MULTILINE)
_NETWORK = re.compile(r"nodes to process in pass 1\.")
_AXIS = re.compile(r"\*\d*\]")
_NODE = re.compile(r"(?P<name>.+?) = (?P<op>\w+) ?\((?P<inputs>.*)\) : ?(?P<operands>.*?) ?-> (?P<shape>.*)")
_COUNT = re.compile(r", [^ ,]*\.(?:run_sample_count|runCount)(\) : .*), \[1\]( -> )")

Nodes = dict[str, set[str]]
"""The lines about a node, one for each network that has it, by its name."""


@dataclass
class Comparison:
    """The nodes of one run, in the log and as they are here."""

    log: str
    theirs: Nodes
    ours: Nodes
    problem: str  # why there is no network

    @property
    def total(self) -> int:
        return sum(map(len, self.theirs.values()))

    def differences(self) -> Iterator[tuple[str, str]]:
        """The lines of the log that no network here has, each with the reason."""
        for name, lines in self.theirs.items():
            for line in sorted(lines - self.ours.get(name, set())):
                yield line, self.problem or _reason(line, self.ours.get(name, set()), self.ours)


OLDER = (
    "the count of samples of a batch normalization was no node",
    "the difference in a PerDimMeanVarNormalization was named after an operator",
    "a delay was made with a first guess of its shape",
)
"""What was different in the versions that wrote the logs."""


def _reason(line: str, same_name: Iterable[str], ours: Nodes) -> str:
    if not ours:
        return "the model is not there"
    if line in {_COUNT.sub(r"\1\2", other) for other in same_name}:
        return OLDER[0]
    renamed = line.replace(".ElementTimesArgs[0]", "._")
    if renamed in ours.get(renamed.partition(" = ")[0], ()):
        return OLDER[1]
    node = _NODE.fullmatch(line)
    others = [m for other in same_name if (m := _NODE.fullmatch(other))]
    if node is None or not others:
        return "there is no such node"
    if not (alike := [m for m in others if m["op"] == node["op"]]):
        return "another operation"
    if not (alike := [m for m in alike if m["inputs"] == node["inputs"]]):
        return "other inputs"
    if all(m["shape"] != node["shape"] for m in alike):
        return "another shape"
    guessed = any(_unguessed(m["operands"], node["operands"]) for m in alike if m["shape"] == node["shape"])
    return OLDER[2] if guessed else "another shape of an operand"


def _unguessed(ours: str, theirs: str) -> bool:
    """Whether operands differ only in those of a loop, for which nothing was known here in the first pass."""
    pairs = list(zip(ours.split(", "), theirs.split(", "), strict=True))
    return all(a == b or a in ("[]", "[0]") or set(b) > set(a) for a, b in pairs)


def by_node(text: str) -> Nodes:
    """The nodes of a log, each as it is in the end."""
    found: Nodes = {}
    for network in _NETWORK.split(text):
        lines = (_AXIS.sub("*]", line) for line in _LINE.findall(network))
        for name, line in {line.partition(" = ")[0]: line for line in lines}.items():
            found.setdefault(name, set()).add(line)
    return found


class Run(Project):
    """A config with the arguments of a log; models come from the runs before it in the log."""

    def __init__(self, arguments: Sequence[str], earlier: list[Run]) -> None:
        super().__init__(arguments)
        self.earlier = earlier

    def neighbours(self, about: str = "") -> Iterator[Project]:
        yield from self.earlier

    def nodes(self) -> Nodes:
        """Those of all networks that the commands build or load."""
        lines: list[str] = []
        for step in self.commands():
            if step.kind.network != "none":
                evaluation = self.network(step)
                models = [(m.network, m.validation) for m in evaluation.loaded]
                if evaluation.network is not None and evaluation.validation is not None:
                    models.append((evaluation.network, evaluation.validation))
                lines += evaluation_log(models)
        return by_node("\n".join(lines))


def comparisons(folder: Path, part: str = "") -> Iterator[Comparison]:
    """All runs whose logs show nodes."""
    for log, runs in groupby(logged_runs(folder), key=lambda run: run[0]):
        earlier: list[Run] = []
        for _, arguments, text in runs if part in log else ():
            theirs = by_node(text)
            ours: Nodes = {}
            problem = ""
            try:
                run = Run(arguments, earlier)
                earlier = [*earlier, run]
                ours = run.nodes() if theirs else {}
            except BsError as error:
                problem = error.finding.message
            if theirs:
                yield Comparison(log, theirs, ours, problem)


def report(folder: Path, part: str = "") -> Iterator[str]:
    """The nodes that differ, and the numbers."""
    total = runs = 0
    reasons: Counter[str] = Counter()
    shown: set[str] = set()
    for comparison in comparisons(folder, part):
        runs += 1
        total += comparison.total
        different = list(comparison.differences())
        reasons.update(reason for _, reason in different)
        if different:
            yield f"{comparison.log}: {len(different)} of {comparison.total}"
        for line, reason in different:
            if line not in shown:
                shown.add(line)
                yield f"  {reason}: {line}"
                yield from (f"    here {ours}" for ours in sorted(comparison.ours.get(line.partition(" = ")[0], ())))
    agree = total - reasons.total()
    yield f"{runs} runs, {agree} of {total} nodes agree ({agree / max(total, 1):.2%})"
    agree += sum(reasons[older] for older in OLDER)
    yield f"{agree} ({agree / max(total, 1):.2%}) but for what is known of older versions"
    yield from (f"{number:6} {reason}" for reason, number in reasons.most_common())


if __name__ == "__main__":
    for line in report(Path(sys.argv[1]), *sys.argv[2:]):
        print(line)
