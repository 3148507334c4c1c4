"""What is wrong with a text, where, and how to mend it: one type for checker, editor and runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from bsls.source import Span


class Severity(IntEnum):
    """Ordered by weight."""

    HINT = 0
    INFORMATION = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of `span` by `text`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A way to mend a finding; `safe` if it can be applied without looking."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to a finding."""

    message: str
    span: Span


@dataclass(slots=True)
class Finding:
    """One problem. `rule` is its name (`unknown-identifier`), `message` one sentence, `help` what to do about it.

    `span` is None where no text is to blame (a full disk).
    """

    rule: str
    message: str
    span: Span | None
    severity: Severity = Severity.ERROR
    help: str = ""
    related: list[Related] = field(default_factory=list)
    fixes: list[Fix] = field(default_factory=list)

    def __str__(self) -> str:
        where = f"{self.span}: " if self.span else ""
        return f"{where}{self.message}" + (f" ({self.help})" if self.help else "")


class BsError(Exception):
    """A problem that ends what was being done; carries the finding to show."""

    def __init__(self, rule: str, message: str, span: Span | None = None, **rest: object) -> None:
        super().__init__(message)
        self.finding = Finding(rule, message, span, **rest)  # type: ignore[arg-type]

    @classmethod
    def of(cls, finding: Finding) -> BsError:
        error = cls(finding.rule, finding.message, finding.span)
        error.finding = finding
        return error

    def __str__(self) -> str:
        return str(self.finding)
