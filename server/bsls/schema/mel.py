"""The commands of the model editing language, and the properties of nodes that it sets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """`name = value` behind the arguments; `values` are those that are possible (none: any text)."""

    name: str
    alternate: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command. A parameter that ends in `?` may be missing, `...` stands for any number of them.

    `names` tells commands after which there are nodes with other names.
    """

    name: str
    parameters: tuple[str, ...]
    alternates: tuple[str, ...] = ()
    option: Option | None = None
    names: bool = False

    @property
    def least(self) -> int:
        return sum(not p.endswith("?") and p != "..." for p in self.parameters)

    @property
    def most(self) -> int | None:
        """The greatest number of arguments, with the option; None: no limit."""
        return None if "..." in self.parameters else len(self.parameters) + (self.option is not None)

    @property
    def usage(self) -> str:
        words = [p.rstrip("?") if p.endswith("?") else p for p in self.parameters]
        if self.option is not None:
            words.append(f"{self.option.name}=...")
        return f"{self.name} ({', '.join(words)})"


_FORMAT = Option("format", values=("cntk", "cntk_legacy_no_tensorlib"))
_DATA = Option("includeData")
_COPY = Option("copyFlag", "copy", ("all", "value"))

COMMANDS: tuple[Command, ...] = (
    Command("CreateModel", ()),
    Command("CreateModelWithName", ("model",)),
    Command("LoadModel", ("file",), option=_FORMAT),
    Command("LoadModelWithName", ("model", "file"), option=_FORMAT),
    Command("LoadNDLSnippet", ("model", "file"), option=Option("section")),
    Command("SaveDefaultModel", ("file",), option=_FORMAT),
    Command("SaveModel", ("model", "file"), option=_FORMAT),
    Command("SetDefaultModel", ("model",)),
    Command("UnloadModel", ("model?", "...")),
    Command("DumpModel", ("model", "file"), ("Dump",), _DATA),
    Command("DumpNode", ("node", "file"), option=_DATA),
    Command("CopyNode", ("from", "to"), ("Copy",), _COPY, names=True),
    Command("CopySubTree", ("from", "toModel", "prefix"), option=_COPY, names=True),
    Command("CopyNodeInputs", ("from", "to"), ("CopyInputs",)),
    Command("SetNodeInput", ("node", "index", "input"), ("SetInput",)),
    Command("SetNodeInputs", ("node", "input1", "input2?", "input3?"), ("SetInputs",)),
    Command("SetProperty", ("node", "property", "value")),
    Command("SetPropertyForSubTree", ("root", "property", "value")),
    Command("RemoveNode", ("node?", "..."), ("Remove", "DeleteNode", "Delete")),
    Command("Rename", ("old", "new"), names=True),
    Command("ReviseParameter", ("node", "file")),
)
"""All commands, in the order in which an abbreviation is looked for."""

GROUP_PROPERTIES = {
    "finalCriterion": "criterion", "Criteria": "criterion", "eval": "evaluation", "criterion": "criterion",
    "evaluation": "evaluation", "feature": "feature", "label": "label", "output": "output",
}  # fmt: skip
"""Properties that put a node into a group."""

GRADIENT = ("needGradient", "needsGradient", "computeGradient")
"""Old properties of which false means a learning rate multiplier of 0."""

SUBTREE_PROPERTIES = (*GRADIENT, "learningRateMultiplier")
"""What SetPropertyForSubTree sets."""

PROPERTIES = (
    "finalCriterion", "Criteria", "eval", *GRADIENT, "criterion", "evaluation", "feature", "label",
    "learningRateMultiplier", "output", "recurrent", "freezeParameters",
)  # fmt: skip
"""What SetProperty sets, in the order in which an abbreviation is looked for; recurrent has no effect."""


def is_abbreviation(word: str, name: str) -> bool:
    """Whether `word` stands for `name`: its beginning, at least half of it (rounded down); capitals do not matter."""
    return name.lower().startswith(word.lower()) and len(word) >= max(len(name) // 2, 1)


def find(word: str) -> Command | None:
    """The first command that `word` is, or abbreviates."""
    for command in COMMANDS:
        if any(is_abbreviation(word, name) for name in (command.name, *command.alternates)):
            return command
    return None


def find_property(word: str, names: tuple[str, ...] = PROPERTIES) -> str | None:
    """The first property that `word` is, or abbreviates."""
    return next((name for name in names if is_abbreviation(word, name)), None)


def names() -> list[str]:
    """All names of commands, for suggestions."""
    return [name for c in COMMANDS for name in (c.name, *c.alternates)]
