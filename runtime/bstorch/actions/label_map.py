"""`createLabelMap`: lists the names of the categories in a column of a text table, in order of their first appearance."""

from __future__ import annotations

import os

from bsls.config.commands import Command
from bsls.config.label_maps import LabelColumn, label_columns
from bsls.finding import BsError
from bsls.modelfile.atomic import make_folder
from bstorch.actions.common import writing
from bstorch.context import RunContext


def run(command: Command, context: RunContext) -> None:
    """Writes the file of each label block of the reader; one that is there already ends the work."""
    for labels in label_columns(command.section):
        path = labels.names.text
        if os.path.exists(path):
            context.say(f"CreateLabelMap: the label mapping file '{path}' already exists, no work to do.")
            return
        context.say(f"CreateLabelMap: Creating the mapping file '{path}' ")
        count, names = _names(labels)
        with writing(path, labels.names.span):
            make_folder(os.path.dirname(path))
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.writelines(f" {name} \n" for name in names)  # readers take the blanks away
        context.say(f"label file {path} written to disk")
        if command.trace_level > 0:
            context.say()
            context.say(f"read {count} labels and produced {path}")


def _names(labels: LabelColumn) -> tuple[int, list[str]]:
    """The number of rows, and the names."""
    names: dict[str, None] = {}
    count = 0
    path = labels.data.text
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                words = line.strip().split(labels.delimiter or None)
                if len(words) <= labels.column:
                    raise BsError(
                        "data", f"line {number} of '{path}' has {len(words)} columns, but labels are in column {labels.column}",
                        labels.data.span, help="columns are counted from 0; correct `start`, or the line",
                    )  # fmt: skip
                names[words[labels.column].strip()] = None
                count += 1
    except OSError as error:
        raise labels.data.error(f"cannot be read: {error.strerror}", "correct the path") from error
    if not names:
        raise labels.data.error("this file has no labels in it", "correct the path")
    return count, list(names)
