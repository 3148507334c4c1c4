"""Settings that this version does not follow yet: an error where results would differ, a line where they do not."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.config.commands import Command
from bsls.config.sgd import SGDSettings
from bsls.config.streams import TEXT_DESERIALIZER, TEXT_READER, other_reader
from bsls.finding import Finding


def unsupported_parts(command: Command) -> Iterator[Finding]:
    """Findings about the action and the readers of a command."""
    if not command.kind.supported:
        yield Finding(
            "unsupported-action", f"the action '{command.action}' is not available yet in this version",
            command.action_span, help="leave the command out: command = ...",
        )  # fmt: skip
        return
    for key in command.reader_keys:
        block = command.section.section(key)
        other = other_reader(block) if block is not None else None
        if other is not None:
            deserializer = other.key.lower() == "type"
            kind = "deserializer" if deserializer else "reader"
            what = f"'{other.key}'" if other.key.lower() == "readers" else f"{kind} {other.text}"
            yield Finding(
                "unsupported-reader", f"{what} is not available yet in this version", other.span,
                help=f"use type = {TEXT_DESERIALIZER}" if deserializer else f"use readerType = {TEXT_READER}",
            )  # fmt: skip
        splice = block.get("rightSplice") if block is not None and block.own("deserializers") is not None else None
        if splice is not None and splice.text not in ("", "0"):
            yield Finding(
                "unsupported-setting", f"rightSplice = {splice.text} is not available yet in this version", splice.span,
                help="remove it: sequences are cut without looking ahead",
            )  # fmt: skip


def ignored_settings(settings: SGDSettings, command: Command) -> Iterator[str]:
    """Lines about settings that do nothing here and change no result."""
    section = settings.section
    if settings.adaptation != "none" and command.action != "adapt":
        yield f"WARNING: adaptationRegType has no effect on action {command.action}, only on adapt."
    yield from _parallel_training(settings, command)
    for key in ("traceNodeNamesReal", "traceNodeNamesCategory", "traceNodeNamesSparse"):
        value = section.get(key)
        if value is not None and value.text:
            yield f"WARNING: {key} is not available yet in this version and has no effect."


def _parallel_training(settings: SGDSettings, command: Command) -> Iterator[str]:
    """A run is one process: parallel training has one worker, and computes what a run without it does."""
    value = settings.section.lookup("ParallelTrain")  # the switch at the top has the same name
    is_block = value is not None and value.raw.text[:1] in ("[", "{")
    block = settings.section.section("ParallelTrain") if is_block else None
    if not command.section.top.get_boolean("parallelTrain", False):
        if block is not None:
            yield "parallelTrain option is not enabled. ParallelTrain config will be ignored."
        return
    yield "mpihelper: only one MPI process: MPI operation will be boring"
    method = "none" if block is None else block.get_string("parallelizationMethod", "none")
    yield f"Parallel training (parallelizationMethod = {method}) with one worker is training without it."
