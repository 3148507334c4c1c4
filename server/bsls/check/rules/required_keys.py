"""Keys without which an action cannot start."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from bsls.check.rule import Context, Rule
from bsls.config.commands import Command
from bsls.config.composite import read_composite
from bsls.config.section import Value
from bsls.config.sgd import read_sgd
from bsls.config.streams import other_reader
from bsls.finding import BsError, Edit, Finding, Fix, Related
from bsls.schema.config import known_in

WITH_MODEL = ("test", "eval", "cv", "dumpNodes", "dumpNode", "dumpnode", "plot", "SVD", "bnstat")
"""Actions that want a modelPath, whether or not they use the model."""

_REQUIRED = {
    "cv": [("crossValidationInterval", "first:step:last")],
    "SVD": [("outputModelPath", '"FILE"')],
    "createLabelMap": [("section", '"SECTION"')],
    "writeWordAndClass": [
        ("inputFile", '"FILE"'), ("outputVocabFile", '"FILE"'), ("vocabSize", "10000"), ("beginSequence", '"<s>"'),
        ("endSequence", '"</s>"'),
    ],
}  # fmt: skip
"""Further keys of actions, with what could stand there."""


def check(context: Context) -> Iterator[Finding]:
    """Model path, network description, reader and SGD block of each command, and what the latter two must say.

    What several commands lack is said once.
    """
    said: dict[str, Finding] = {}
    for command in context.commands:
        for key, hint in _missing(command):
            message = f"command '{command.name}' ({command.action}) has no '{key}'"
            misspelt = _misspelt(command, key)
            if misspelt is not None:
                fix = Fix(f"change to {key}", (Edit(misspelt.key_span, key),))
                yield Finding("missing-key", message, misspelt.key_span, help=f"did you mean '{key}'?", fixes=[fix])
                continue
            span = command.section.span
            if key in said:
                said[key].related.append(Related(message, span))
            else:
                said[key] = Finding("missing-key", message, span, help=hint)
    yield from said.values()
    for command in context.commands:
        sgd = command.sgd()
        if sgd is not None:
            try:
                read_sgd(sgd, command.precision)
            except BsError as error:
                yield error.finding
        for key in command.reader_keys:
            try:
                block = command.section.section(key)
                if block is not None and block.own("deserializers") is not None and other_reader(block) is None:
                    read_composite(block)
            except BsError as error:
                yield error.finding


def _missing(command: Command) -> Iterator[tuple[str, str]]:
    """Keys that are not there, and what to do about each."""
    section, kind = command.section, command.kind
    no_network = command.builder() is None
    if command.model_path is None:
        if kind.trains or command.action in WITH_MODEL:
            yield "modelPath", 'add `modelPath = "..."` to the section or at the top of the config'
        elif command.action == "write" and no_network:
            yield "modelPath", 'add `modelPath = "..."`, or a network description'
    if command.action == "write" and section.get("outputPath") is None and section.lookup("writer") is None:
        yield "outputPath", 'add `outputPath = "..."`, the beginning of the names of the files'
    for key, example in _REQUIRED.get(command.action, ()):
        value = section.get(key)
        if value is None or not value.text:
            yield key, f"add `{key} = {example}`"
    if command.action == "writeWordAndClass" and section.get_string("nbrClass", "0") != "0":
        for key in ("outputWord2Cls", "outputCls2Index"):
            if section.get(key) is None:
                yield key, f'add `{key} = "FILE"`, or leave out nbrClass'
    if command.action == "SVD" and section.get("NodeNameRegex") is None and section.get("SVDConfig") is None:
        yield "NodeNameRegex", 'add `NodeNameRegex = "W.*"`, or `SVDConfig = "FILE"` with several groups'
    if kind.network == "edit":
        key = "editPath" if command.runs_script else "outputModelPath"
        if section.get(key) is None:
            yield key, 'add `editPath = "FILE"`' if command.runs_script else 'add `outputModelPath = "FILE"`'
    if kind.network == "build" and no_network:
        yield "BrainScriptNetworkBuilder", "add BrainScriptNetworkBuilder = { ... }"
    if kind.reads_data and section.section("reader") is None and section.lookup("readers") is None:
        yield "reader", 'add reader = { readerType = "CNTKTextFormatReader" ; file = "..." ; input = { ... } }'
    if kind.trains and command.sgd() is None:
        yield "SGD", "add SGD = { maxEpochs = ... ; learningRatesPerSample = ... }"


def _misspelt(command: Command, key: str) -> Value | None:
    """A key of the command that means nothing there, and was probably to be the missing one."""
    for value in command.section:
        if known_in(value.key) or value.raw.text[:1] in ("[", "{"):
            continue
        if get_close_matches(value.key.lower(), [key.lower()], 1, 0.65):
            return value
    return None


RULE = Rule(
    "missing-key", "BS020", "A key that the action cannot do without.",
    """`train` needs a network description, a reader, a modelPath and an SGD block with maxEpochs and a learning rate;
`test` a reader and a modelPath. Keys are looked up in the section and then in the blocks around it, up to the top.""",
    check,
    quick=True,
)  # fmt: skip
