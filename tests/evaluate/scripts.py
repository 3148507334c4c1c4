"""Evaluates NDL, and scripts of the model editing language, written in a test."""

from __future__ import annotations

from collections.abc import Sequence

from bsls.evaluate.brainscript import Evaluation
from bsls.evaluate.environment import Counters, Environment, Limits, Model
from bsls.evaluate.mel import run_script
from bsls.evaluate.ndl import evaluate_scripts
from bsls.finding import BsError, Finding
from bsls.network.cloning import duplicate
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate
from bsls.source import ExpandedText, Source, Span
from bsls.syntax import mel, ndl
from bsls.syntax.outer import blank_comments


def text_of(text: str, path: str = "net.ndl") -> ExpandedText:
    return ExpandedText.of(Source(path, text)).with_text(blank_comments(text))


def ndl_network(
    text: str,
    macros: str = "",
    strict: bool = True,
    counters: Counters | None = None,
    seed_offset: int = 0,
    limits: Limits | None = None,
) -> Evaluation:
    environment = Environment(strict=strict, counters=counters or Counters(), limits=limits or Limits())
    scripts, files = [ndl.parse_script(text_of(text))], [ndl.parse_script(text_of(macros))]
    return evaluate_scripts(scripts, files, environment, seed_offset)


def said(findings: Sequence[Finding]) -> list[str]:
    """Findings as `rule: the text to blame`."""
    return [f"{f.rule}: {f.span.text if f.span else None}" for f in findings]


def described(network: Network) -> dict[str, str]:
    """Operation and inputs of each node, by name."""
    return {n.name: " ".join([n.op, *(i.name for i in n.inputs)]) for n in network}


class Models:
    """What a script loads and saves, in memory."""

    def __init__(self, models: dict[str, Network]) -> None:
        self.models = dict(models)
        self.dumped: dict[str, tuple[list[str], bool]] = {}
        self.lines: list[str] = []

    def load(self, path: str, span: Span) -> Model | None:
        if path not in self.models:
            raise BsError("missing-model", f"no model {path}", span)
        network = duplicate(self.models[path])
        return Model(network, validate(network))

    def save(self, path: str, network: Network, complete: bool, span: Span) -> None:
        self.models[path] = network

    def dump(self, path: str, nodes: Sequence[Node], values: bool, span: Span) -> None:
        self.dumped[path] = ([n.name for n in nodes], values)

    def snippet(self, path: str, section: str, span: Span) -> ndl.Script:
        return ndl.parse_script(text_of(path))

    def say(self, line: str) -> None:
        self.lines.append(line)


class Edited:
    """What came of a script that finds `models`."""

    def __init__(self, text: str, models: dict[str, Network], macros: str = "", strict: bool = False) -> None:
        self.host = Models(models)
        environment = Environment(strict=strict)
        script = mel.parse(text_of(text, "edit.mel"))
        self.known = run_script(script, [ndl.parse_script(text_of(macros))], environment, self.host)
        self.findings = environment.findings
