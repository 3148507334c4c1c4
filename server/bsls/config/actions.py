"""Settings of single actions, as far as they can be wrong before anything is run."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bsls.config.commands import Command
from bsls.config.label_maps import label_columns
from bsls.config.section import Section, Value


def dumped_parts(section: Section) -> tuple[bool, bool]:
    """Whether a dump of nodes has their values, and whether it has what describes them; one of the two at least."""
    values, metadata = section.get_boolean("printValues", True), section.get_boolean("printMetadata", True)
    if not values and not metadata:
        value = section.require("printMetadata")
        raise value.error(
            "printValues and printMetadata are both false: there is nothing to dump", "set one of them to true"
        )
    return values, metadata


def writes_keys(section: Section) -> bool:
    """Whether a write puts the keys of sequences in the place of `%k`; only a reader with deserializers knows them."""
    keys, form = section.get("writeSequenceKey"), section.section("format")
    if keys is None or not keys.boolean():
        return False
    shown = [form.get_string(part, "") for part in ("sequencePrologue", "sampleSeparator")] if form is not None else []
    reader = section.section("reader")
    if any("%k" in text for text in shown) and reader is not None and reader.own("deserializers") is None:
        raise keys.error(
            "%k for the key of a sequence needs a reader with deserializers",
            "remove it, or describe the data with deserializers = ([ ... ])",
        )
    return True


def compared_models(section: Section) -> list[str]:
    """The models of epochs that a `cv` is to compare: those of `crossValidationInterval = first:step:last`."""
    path, value = section.require("modelPath"), section.require("crossValidationInterval")
    numbers = [v.integer() for v in value.array()]
    if len(numbers) != 3 or numbers[0] < 0 or numbers[1] < 1:
        raise value.error("three whole numbers are expected, of which the step is at least 1", "write first:step:last")
    first, step, last = numbers
    if last < first:
        raise value.error("there is no epoch from the first to the last", "write first:step:last")
    return [f"{path.text}.{epoch}" for epoch in range(first, last + 1, step)]


GRAPHVIZ = frozenset({"dot", "neato", "fdp", "sfdp", "twopi", "circo", "osage", "patchwork"})
"""The programs that a `plot` may start: a config from elsewhere must not run whatever it likes."""


class Drawing(NamedTuple):
    """The dot file of a `plot`, and the program with its arguments that makes a picture of it, if there is one."""

    dot: str
    command: tuple[str, ...]

    @property
    def may_run(self) -> bool:
        """Whether the program is one of Graphviz, found on the search path."""
        return bool(self.command) and self.command[0].removesuffix(".exe") in GRAPHVIZ


def drawing(section: Section) -> Drawing:
    """What a `plot` makes; `<IN>` and `<OUT>` in `renderCmd` stand for the dot file and `outputFile`."""
    path = section.require("modelPath")
    dot = section.get_string("outputDotFile", "") or f"{path.text}.dot"
    command, picture = section.get("renderCmd"), section.get("outputFile")
    if picture is not None and picture.text and (command is None or not command.text):
        raise picture.error(
            "without a renderCmd nothing draws this picture", 'add renderCmd = "dot -Tpng -o <OUT> <IN>"'
        )
    if command is None:
        return Drawing(dot, ())
    try:
        arguments = shlex.split(command.text)
    except ValueError:
        raise command.error("a quotation mark has no counterpart", "write a program and its arguments") from None
    if picture is not None and picture.text:
        arguments = [a.replace("<IN>", dot).replace("<OUT>", picture.text) for a in arguments]
    return Drawing(dot, tuple(arguments))


def statistics_minibatches(section: Section) -> int:
    """How many minibatches each normalization sees in a `bnstat`."""
    value = section.get("itersPerNode")
    count = 30 if value is None else value.integer()
    if value is not None and count < 1:
        raise value.error("a number of at least 1 is expected", "write how many minibatches each node is to see")
    return count


def aligned_size(section: Section) -> int:
    """Of what number the ranks are multiples to which an `SVD` reduces matrices."""
    value = section.get("AlignedSize")
    size = 8 if value is None else value.integer()
    if value is not None and size < 1:
        raise value.error("a number of at least 1 is expected", "write AlignedSize = 1 for any rank")
    return size


@dataclass(frozen=True, slots=True)
class WordClasses:
    """What a `writeWordAndClass` reads, counts and writes; without `classes` the files about classes are None."""

    text: Value
    vocabulary: Value
    mapping: Value | None
    class_of_word: Value | None
    first_of_class: Value | None
    size: int
    classes: int
    cutoff: int
    unknown: str
    begin: str
    end: str


def word_classes(section: Section) -> WordClasses:
    size, classes = section.require("vocabSize"), section.get("nbrClass")
    count = 0 if classes is None else classes.integer()
    if size.integer() < 1:
        raise size.error("a number of at least 1 is expected", "write how many words are wanted")
    if classes is not None and count < 0:
        raise classes.error("a number of classes is expected", "write 0 for none")
    mapping = section.get("outputMappingFile")
    return WordClasses(
        text=section.require("inputFile"),
        vocabulary=section.require("outputVocabFile"),
        mapping=mapping if mapping is not None and mapping.text else None,
        class_of_word=section.require("outputWord2Cls") if count else None,
        first_of_class=section.require("outputCls2Index") if count else None,
        size=size.integer(),
        classes=count,
        cutoff=section.get_integer("cutoff", 1),
        unknown=section.get_string("unk", "<unk>"),
        begin=section.require("beginSequence").text,
        end=section.require("endSequence").text,
    )


_READ: dict[str, Callable[[Section], object]] = {
    "dumpNodes": dumped_parts,
    "dumpNode": dumped_parts,
    "dumpnode": dumped_parts,
    "write": writes_keys,
    "cv": compared_models,
    "plot": drawing,
    "SVD": aligned_size,
    "createLabelMap": label_columns,
    "writeWordAndClass": word_classes,
    "bnstat": statistics_minibatches,
}
"""What reads the settings of an action, where they may be wrong."""


def check_action_settings(command: Command) -> None:
    """Raises BsError where the settings of a command's action are wrong or contradict each other."""
    if (read := _READ.get(command.action)) is not None:
        read(command.section)
