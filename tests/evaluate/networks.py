"""Evaluates a network description written in a test."""

from __future__ import annotations

from bsls.evaluate.brainscript import evaluate_network
from bsls.evaluate.environment import Counters, Environment, Limits, Model
from bsls.finding import BsError, Finding
from bsls.network.cloning import duplicate
from bsls.network.network import Network
from bsls.network.validation import validate
from bsls.source import ExpandedText, Source, Span


class Outcome:
    """What came of a text in `{ }`, evaluated strictly (the first problem ends it) or tolerantly.

    `models` are networks that `BS.Network.Load` finds.
    """

    def __init__(
        self,
        text: str,
        strict: bool = True,
        models: dict[str, Network] | None = None,
        counters: Counters | None = None,
        limits: Limits | None = None,
    ) -> None:
        def load(path: str, span: Span | None) -> Model | None:
            if path not in (models or {}):
                return None
            network = duplicate((models or {})[path])
            return Model(network, validate(network))

        self.printed: list[str] = []
        self.environment = Environment(
            strict=strict, counters=counters or Counters(), load=load, limits=limits or Limits(), printed=self.printed.append
        )  # fmt: skip
        self.text = text if text.startswith(("{", "(", "[")) else f"{{\n{text}\n}}"
        self.findings: list[Finding] = []
        self._network: Network | None = None
        try:
            evaluation = evaluate_network(ExpandedText.of(Source("net", self.text)), self.environment)
        except BsError as error:
            self.findings = [error.finding]
        else:
            self._network = evaluation.network
            self.findings = evaluation.findings
            self.complete = evaluation.complete

    @property
    def network(self) -> Network:
        """The network, which must have come out without findings."""
        assert [str(f) for f in self.findings] == []
        assert self._network is not None
        return self._network

    @property
    def names(self) -> dict[str, str]:
        """Operation of each node, by name."""
        return {n.name: n.op for n in self.network}

    @property
    def known(self) -> set[str]:
        """Names of the nodes that came out in spite of findings."""
        return {n.name for n in self._network or ()}

    @property
    def seeds(self) -> dict[str, int]:
        """Seeds of the parameters that have one."""
        seeds = {n.name: n.attributes["randomSeed"] for n in self.network if n.is_parameter}
        return {name: seed for name, seed in seeds.items() if isinstance(seed, int) and seed >= 0}

    @property
    def said(self) -> list[str]:
        """Findings as `rule: the text to blame`."""
        return [f"{f.rule}: {f.span.text if f.span else None}" for f in self.findings]


def evaluate(text: str, **settings: object) -> Outcome:
    return Outcome(text, **settings)  # type: ignore[arg-type]


def mended(outcome: Outcome) -> str:
    """The text after the first fix of the only finding."""
    (finding,) = outcome.findings
    text = outcome.text
    for edit in sorted(finding.fixes[0].edits, key=lambda e: e.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text
