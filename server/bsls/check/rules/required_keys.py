"""Keys without which an action cannot start."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.config.commands import Command
from bsls.config.sgd import read_sgd
from bsls.finding import BsError, Finding


def check(context: Context) -> Iterator[Finding]:
    """Model path, network description, reader and SGD block of each command, and what the SGD block must say."""
    for command in context.commands:
        yield from _missing(command)


def _missing(command: Command) -> Iterator[Finding]:
    section, kind = command.section, command.kind

    def missing(key: str, hint: str) -> Finding:
        return Finding(
            "missing-key", f"command '{command.name}' ({command.action}) has no '{key}'", section.span, help=hint
        )

    if (
        command.action in ("train", "trainRNN", "adapt", "test", "eval", "dumpNodes", "dumpNode", "dumpnode")
        and command.model_path is None
    ):
        yield missing("modelPath", 'add `modelPath = "..."` to the section or at the top of the config')
    if kind.network == "build" and command.builder() is None:
        yield missing("BrainScriptNetworkBuilder", "add BrainScriptNetworkBuilder = { ... }")
    if (
        kind.network == "either"
        and command.action == "write"
        and command.builder() is None
        and command.model_path is None
    ):
        yield missing("modelPath", 'add `modelPath = "..."`, or a network description')
    if kind.reads_data and section.section("reader") is None and section.lookup("readers") is None:
        yield missing("reader", 'add reader = { readerType = "CNTKTextFormatReader" ; file = "..." ; input = { ... } }')
    if command.action in ("train", "trainRNN", "adapt"):
        sgd = section.section("SGD") or section.section("optimizer")
        if sgd is None:
            yield missing("SGD", "add SGD = { maxEpochs = ... ; learningRatesPerSample = ... }")
            return
        try:
            read_sgd(sgd)
        except BsError as error:
            yield error.finding


RULE = Rule(
    "missing-key", "BS020", "A key that the action cannot do without.",
    """`train` needs a network description, a reader, a modelPath and an SGD block with maxEpochs and a learning rate;
`test` a reader and a modelPath. Keys are looked up in the section and then in the blocks around it, up to the top.""",
    check,
)  # fmt: skip
