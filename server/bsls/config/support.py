"""Settings that this version does not follow yet: an error where results would differ, a line where they do not."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.config.commands import Command
from bsls.config.sgd import SGDSettings
from bsls.config.streams import TEXT_READER, other_reader
from bsls.finding import Finding

_PLAIN = "this version trains with plain or momentum steps at scheduled rates"


def unsupported_settings(settings: SGDSettings) -> Iterator[Finding]:
    """Findings (`unsupported-setting`) about settings of a training that would change its result."""
    control = settings.section.section("AutoAdjust")
    adapts = settings.adaptation != "none" and settings.adaptation_weight > 0
    wanted = [
        ("gradUpdateType", settings.update != "none", _PLAIN),
        ("autoAdjustLR", settings.rate_control.method != "none", _PLAIN),
        (
            "autoAdjustMinibatch",
            settings.rate_control.adjust_minibatch,
            "this version keeps to the given minibatch sizes",
        ),
        ("adaptationRegType", adapts, "this version has no regularisation towards another model"),
        ("gradientcheck", settings.gradient_check, "this version does not check gradients numerically"),
        ("saveBestModelPerCriterion", settings.save_best_per_criterion, "this version keeps the models of all epochs"),
    ]
    for key, used, help in wanted:
        if not used:
            continue
        found = settings.section.get(key) or (control.get(key) if control is not None else None)
        if found is None and key == "gradUpdateType":
            key, found = "useAdagrad", settings.section.get("useAdagrad")
        value = f" = {found.text}" if found is not None else ""
        span = found.span if found is not None else settings.section.span
        yield Finding("unsupported-setting", f"{key}{value} is not available yet in this version", span, help=help)


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
            what = f"reader {other.text}" if other.key.lower() == "readertype" else f"'{other.key}'"
            yield Finding(
                "unsupported-reader", f"{what} is not available yet in this version", other.span,
                help=f"use readerType = {TEXT_READER}",
            )  # fmt: skip


def ignored_settings(settings: SGDSettings) -> Iterator[str]:
    """Lines about settings that do nothing here and change no result."""
    section = settings.section
    if section.section("ParallelTrain") is not None:
        yield "parallelTrain option is not enabled. ParallelTrain config will be ignored."
    if settings.sub_minibatches > 1 or settings.max_samples_in_memory is not None:
        yield "WARNING: minibatches are not split into subminibatches; only batch normalization and dropout would notice."
    for key in ("traceNodeNamesReal", "traceNodeNamesCategory", "traceNodeNamesSparse"):
        value = section.get(key)
        if value is not None and value.text:
            yield f"WARNING: {key} is not available yet in this version and has no effect."
