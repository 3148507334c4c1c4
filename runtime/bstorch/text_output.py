"""Values of nodes as text: the `format` block of `write`.

A file is: prologue; for each sequence, with sequenceSeparator between the sequences of a minibatch, sequencePrologue, the
lines with sampleSeparator between them, sequenceEpilogue; epilogue. A line is one sample with its elements separated by
elementSeparator, or, with transpose = false, one element over all samples of the sequence.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bsls.config.section import Section
from bsls.finding import BsError
from bsls.shape import Dims
from bsls.source import Span

_WIDTH = re.compile(r"[-+ #0]*\d*(\.\d*)?")
KINDS = ("real", "category", "sparse")
_WARNINGS = 5  # the reference complains about labels that do not fit this often in a run


@dataclass(slots=True)
class Format:
    """A format block; escapes are already replaced, placeholders are not."""

    kind: str = "real"
    labels: list[str] = field(default_factory=list)
    transpose: bool = True
    prologue: str = ""
    epilogue: str = ""
    sequence_separator: str = ""
    sequence_prologue: str = ""
    sequence_epilogue: str = "\n"
    element_separator: str = " "
    sample_separator: str = "\n"
    precision: str = ""


def read_format(section: Section) -> Format:
    """The format of a `write` command; `type` and labelMappingFile count only inside the block itself."""
    block = section.section("format")
    if block is None:
        return Format()
    kind, labels = "real", []
    own = block.own("type")
    if own is not None and not own.is_default:
        kind = own.text
        if kind not in KINDS:
            raise own.error("an unknown kind of output", "use real, category or sparse")
        mapping = block.get("labelMappingFile")
        if mapping is not None and mapping.text and kind != "real":
            labels = read_labels(mapping.text, mapping.span)
    default = Format()
    return Format(
        kind=kind,
        labels=labels,
        transpose=block.get_boolean("transpose", True),
        prologue=block.get_string("prologue", ""),
        epilogue=block.get_string("epilogue", ""),
        sequence_separator=_text(block, "sequenceSeparator", default.sequence_separator),
        sequence_prologue=_text(block, "sequencePrologue", default.sequence_prologue),
        sequence_epilogue=_text(block, "sequenceEpilogue", default.sequence_epilogue),
        element_separator=_text(block, "elementSeparator", default.element_separator),
        sample_separator=_text(block, "sampleSeparator", default.sample_separator),
        precision=_precision(block),
    )


def _text(block: Section, key: str, default: str) -> str:
    value = block.get(key)
    if value is None:
        return default
    return unescaped(value.text.strip())  # blanks at the ends are lost in the reference, too: that is what \\s is for


def unescaped(text: str) -> str:
    """A separator as it is written to the file."""
    for escape, character in (("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("\\s", " ")):
        text = text.replace(escape, character)
    return text


def _precision(block: Section) -> str:
    value = block.get("precisionFormat")
    if value is None:
        return ""
    if (
        not _WIDTH.fullmatch(value.text) and "'" not in value.text
    ):  # single quotes mean nothing in a config: printed as they are
        raise value.error("not a width and precision", 'write digits as in "8.3" or ".3"')
    return value.text


def read_labels(path: str, span: Span | None) -> list[str]:
    """The labels of a file, one a line; `span` is where it is named."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return [line.strip() for line in file.read().splitlines()]
    except OSError as error:
        reason = f"cannot read the labels in '{path}': {error.strerror}"
        raise BsError("missing-file", reason, span, help="correct the path") from error


class TextOutput:
    """Writes the values of one node, minibatch by minibatch.

    Of lines with more elements or sequences with more samples than `most_elements` and `most_samples` only so many are
    shown, and how many are not; a single one more is shown after all.
    """

    def __init__(
        self,
        name: str,
        dims: Dims,
        format: Format,
        say: Warner,
        most_elements: int = sys.maxsize,
        most_samples: int = sys.maxsize,
    ) -> None:
        self._most_elements, self._most_samples = most_elements, most_samples
        self._format = format
        self._dims = dims
        self._say = say
        self._texts = {
            part: getattr(format, part).replace("%s", name)
            for part in (
                "sequence_separator",
                "sequence_prologue",
                "sequence_epilogue",
                "element_separator",
                "sample_separator",
            )
        }
        self._value = self._value_format()

    def _value_format(self) -> str:
        kind = "f" if self._format.kind != "category" else "s" if self._format.labels else "d"
        form = f"%{self._format.precision}{kind}"
        # What is no format is printed as it stands, whatever the value.
        return form if _WIDTH.fullmatch(self._format.precision) else form.replace("%", "%%") + "%.0s"

    def minibatch(self, number: int, sequences: Iterable[NDArray], keys: Sequence[str | int] = ()) -> str:
        """The text of a minibatch (counted from 0); each sequence is an array (samples, elements)."""
        parts: list[str] = []
        texts = {part: text.replace("%n", str(number)) for part, text in self._texts.items()}
        for index, values in enumerate(sequences):
            if index > 0:
                parts.append(texts["sequence_separator"])
            key = str(keys[index]) if index < len(keys) else None
            parts.append(self._about(texts["sequence_prologue"], index, len(values), key))
            separator = self._about(texts["sample_separator"], index, len(values), key)
            if self._format.kind == "sparse":
                parts.append(self._sparse(values, texts["element_separator"], texts["sample_separator"]))
            else:
                parts.append(separator.join(self._lines(values, texts["element_separator"])))
            parts.append(texts["sequence_epilogue"])
        return "".join(parts)

    def _about(self, text: str, index: int, samples: int, key: str | None) -> str:
        """Fills in shape, number and key of a sequence."""
        if "%" not in text:
            return text
        text = text.replace("%x", " ".join(map(str, (*self._dims, samples)))).replace("%d", str(index))
        return text if key is None else text.replace("%k", key)

    def _lines(self, values: NDArray, separator: str) -> Iterable[str]:
        if self._format.kind == "category":
            cells = self._categories(values)
            return cells if self._format.transpose else [separator.join(cells)]
        values = values + 0.0  # a negative zero prints as zero
        rows = values if self._format.transpose else values.T
        most, limit = self._most_elements, self._most_samples
        if not self._format.transpose:
            most, limit = limit, most
        cells = [self._value] * rows.shape[1]
        if len(cells) > most + 1:
            cells[most:] = [f"...+{len(cells) - most}"]
            rows = rows[:, :most]
        line = separator.replace("%", "%%").join(cells)
        more = len(rows) - limit
        if more > 1:
            rows = rows[:limit]
        lines = [line % tuple(row) for row in rows.tolist()]
        if not self._format.transpose and len(self._dims) > 1:
            lines = [f"{place}\t{text}" for place, text in zip(self._places(len(lines)), lines, strict=True)]
        return [*lines, f"...+{more}"] if more > 1 else lines

    def _places(self, elements: int) -> list[str]:
        """`[i,j]` of each element."""
        return [f"[{','.join(map(str, self._place(e)))}]" for e in range(elements)]

    def _place(self, element: int) -> list[int]:
        place: list[int] = []
        for dim in self._dims:
            place.append(element % dim)
            element //= dim
        return place

    def _categories(self, values: NDArray) -> list[str]:
        # The last of equal maxima, as the reference has it here.
        best = values.shape[1] - 1 - np.argmax(values[:, ::-1], axis=1)
        form, labels = self._value, self._format.labels
        if labels and len(labels) not in (values.shape[1], self._dims[0] if self._dims else 1):
            self._say.labels(values.shape[1], len(labels))
            form, labels = form[:-1] + "d", []
        if not labels:
            return [form % b for b in best.tolist()]
        return [form % labels[b % len(labels)] for b in best.tolist()]

    def _sparse(self, values: NDArray, element_separator: str, sample_separator: str) -> str:
        by_element = self._format.transpose
        flat = values.T if by_element else values
        found = np.argwhere(flat != 0)
        items: list[str] = []
        for i, j in found.tolist():
            element, time = (i, j) if by_element else (j, i)
            value = float(flat[i, j])
            shown = "" if value == 1.0 else self._value % value
            place = [self._labelled(p, d) for p, d in zip(self._place(element), self._dims, strict=True)]
            items.append(f"{shown}[{','.join(place)}{f';{time}' if len(values) > 1 else ''}]")
        return (sample_separator if by_element else element_separator).join(items)

    def _labelled(self, index: int, dim: int) -> str:
        labels = self._format.labels
        return f"{index}={labels[index]}" if labels and len(labels) == dim else str(index)


class Warner:
    """Says a few times in a run that labels do not fit."""

    def __init__(self, say: object) -> None:
        self._say = say
        self._left = _WARNINGS

    def labels(self, rows: int, labels: int) -> None:
        if self._left > 0:
            self._left -= 1
            self._say(
                f"write: Row dimension {rows} does not match number of entries {labels} in labelMappingFile, not using mapping"
            )  # type: ignore[operator]
