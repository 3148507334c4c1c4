"""Settings that this version does not follow yet: an error where results would differ, a line where they do not."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.config.sgd import SGDSettings
from bsls.finding import BsError


def refuse_unsupported(settings: SGDSettings) -> None:
    """Raises BsError (`unsupported-setting`) at the first setting that would change the result."""
    control = settings.section.section("AutoAdjust")
    wanted = [
        ("gradUpdateType", settings.update != "none", settings.section.span),
        ("autoAdjustLR", settings.rate_control.method != "none", settings.section.span),
        ("autoAdjustMinibatch", settings.rate_control.adjust_minibatch, settings.section.span),
        ("adaptationRegType", settings.adaptation != "none" and settings.adaptation_weight > 0, settings.section.span),
        ("gradientcheck", settings.gradient_check, settings.section.span),
        ("truncated", settings.truncated, settings.section.span),
        ("saveBestModelPerCriterion", settings.save_best_per_criterion, settings.section.span),
    ]
    for key, used, span in wanted:
        if not used:
            continue
        found = settings.section.get(key) or (control.get(key) if control is not None else None)
        if found is None and key == "gradUpdateType":
            key, found = "useAdagrad", settings.section.get("useAdagrad")
        value = f" = {found.text}" if found is not None else ""
        raise BsError(
            "unsupported-setting",
            f"{key}{value} is not available yet in this version",
            found.span if found is not None else span,
            help="this version trains with plain or momentum steps at scheduled rates; without the setting it would do so",
        )


def ignored_settings(settings: SGDSettings) -> Iterator[str]:
    """Lines about settings that do nothing here and change no result."""
    section = settings.section
    if section.section("ParallelTrain") is not None:
        yield "parallelTrain option is not enabled. ParallelTrain config will be ignored."
    for key in ("tensorBoardLogDir", "traceNodeNamesReal", "traceNodeNamesCategory", "traceNodeNamesSparse"):
        value = section.get(key)
        if value is not None and value.text:
            yield f"WARNING: {key} is not available yet in this version and has no effect."
