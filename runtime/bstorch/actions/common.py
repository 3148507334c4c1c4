"""What several actions need: a network that is sound, its inputs, a reader that delivers them."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bsls.config.commands import Command
from bsls.config.section import Section, Value
from bsls.evaluate.brainscript import Evaluation
from bsls.finding import BsError, Severity
from bsls.modelfile.model import read as read_model
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.printing import evaluation_log
from bsls.network.validation import validate
from bsls.source import Span
from bstorch.context import RunContext
from bstorch.readers.ahead import ReadAhead
from bstorch.readers.base import Reader, check_streams
from bstorch.readers.open import open_reader


def made_network(command: Command, context: RunContext, trace_level: int) -> Network:
    """The network that the command builds or loads, with the lines about it; raises at the first thing that is wrong."""
    evaluation: Evaluation = context.project.network(command)
    if evaluation.built_by:
        context.say(f"{evaluation.built_by} Using {context.device_name}")
    elif trace_level > 0 and evaluation.network is not None and evaluation.validation is not None:
        models = [(m.network, m.validation) for m in evaluation.loaded]
        context.say_all(evaluation_log([*models, (evaluation.network, evaluation.validation)]))
    findings = evaluation.findings + (evaluation.validation.findings if evaluation.validation is not None else [])
    for finding in findings:
        if finding.severity >= Severity.ERROR:
            raise BsError.of(finding)
    assert evaluation.network is not None
    return evaluation.network


def loaded_network(path: str) -> Network:
    """The network of a model file, without a word about it."""
    network = read_model(path)
    for finding in validate(network).findings:
        if finding.severity >= Severity.ERROR:
            raise BsError.of(finding)
    return network


def minibatch_size(section: Section, default: int) -> int:
    """Samples of a minibatch, for actions that have no epochs: the first value of the schedule counts."""
    sizes = section.get_array("minibatchSize")
    return sizes[0].integer() if sizes else default


def model_path(command: Command) -> Value:
    """Where the command's model is."""
    value = command.section.require("modelPath")
    if value.text.endswith("/") or os.path.isdir(value.text):
        raise value.error("this is a folder", "give the name of a file in it")
    return value


def existing_model(command: Command) -> Value:
    """As `model_path`, for what must be there."""
    path = model_path(command)
    if not os.path.exists(path.text):
        raise BsError(
            "missing-model", f"the model file '{path.text}' does not exist", path.span,
            help="train it first, or correct the path",
        )  # fmt: skip
    return path


def whole_name(pattern: str, value: Value) -> re.Pattern[str]:
    """A regular expression for whole names of nodes, given by `value`."""
    try:
        return re.compile(pattern)
    except re.error as error:
        what = f"not a regular expression: {error}"
        if pattern != value.text:
            what = f"'{pattern}' is {what}"
        raise value.error(what, "escape brackets and dots with a backslash") from error


@contextmanager
def placed(command: Command) -> Iterator[None]:
    """Problems that no text is to blame for, such as a full disk, are shown at the command's model or its name."""
    try:
        yield
    except BsError as error:
        if error.finding.span is None:
            path = command.model_path
            error.finding.span = command.name_span if path is None else path.span
        raise


@contextmanager
def writing(path: str, span: Span | None) -> Iterator[None]:
    """What the system refuses while `path` is written is an error at the place that names it."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = f"cannot write '{error.filename or path}': {error.strerror}"
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        help = "make room on the disk" if full else "check the folder and its permissions"
        raise BsError("file-write", reason, span, help=help) from error


def required_section(section: Section, *keys: str) -> Section:
    """The first block that exists of `keys`, which are names of the same thing."""
    for key in keys:
        found = section.section(key)
        if found is not None:
            return found
    raise BsError(
        "missing-key",
        f"block '{section.path}' has no '{keys[0]}' block",
        section.span,
        help=f"add {keys[0]} = {{ ... }}",
    )


def reader_for(
    section: Section,
    inputs: Sequence[Node],
    context: RunContext,
    randomize: bool | None = None,
    *,
    whole_sequences: bool = False,
) -> Reader:
    """The reader of a block, which delivers all `inputs`; see `open_reader`."""
    reader = open_reader(section, randomize, context.say, whole_sequences=whole_sequences)
    check_streams(inputs, reader)
    reader.open()
    return ReadAhead(reader) if context.device.type == "cuda" else reader


def say_unknown(names: Sequence[Value], context: RunContext) -> None:
    """A line for each name that the network does not have."""
    for value in names:
        context.say(f"PatchOutputNodes: No node named '{value.text}'; skipping")


def say_default_criteria(network: Network, section: Section, context: RunContext) -> None:
    """A line where `evalNodeNames` names no node of the network."""
    if all(network.find(v.text) is None for v in section.get_array("evalNodeNames") or []):
        context.say("evalNodeNames are not specified, using all the default evalnodes and training criterion nodes.")
