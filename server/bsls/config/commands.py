"""The commands of a config: which sections run, in which order, and what their actions do with networks and models."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from bsls.config.section import Section, Value
from bsls.finding import BsError, Edit, Fix
from bsls.source import Span


@dataclass(frozen=True, slots=True)
class Action:
    """A kind of command. `network`: it builds one (`build`), builds or loads one (`either`), builds one or runs a script
    that edits models (`edit`), loads one, or needs none.

    `writes` is the key of the model file that it makes, `copies` that of the one whose network this has, `outputs` that
    of the nodes that become the output nodes of a loaded network. `supported` tells what this version runs, `trains`
    which actions have an SGD block and may have a cvReader.
    """

    name: str
    network: Literal["build", "either", "edit", "load", "none"] = "none"
    writes: str = ""
    reads_data: bool = False
    supported: bool = False
    trains: bool = False
    copies: str = ""
    outputs: str = ""


ACTIONS = {
    a.name: a
    for a in (
        Action("train", "build", "modelPath", True, True, True),
        Action("trainRNN", "build", "modelPath", True, True, True),
        Action("adapt", "none", "modelPath", True, True, True, copies="origModelFileName"),
        Action("test", "either", "", True, True, outputs="evalNodeNames"),
        Action("eval", "either", "", True, True, outputs="evalNodeNames"),
        Action("cv", "load", "", True, True),
        Action("write", "either", "", True, True, outputs="outputNodeNames"),
        Action("edit", "edit", "outputModelPath", supported=True),
        Action("bnstat", "load", "newModelPath", True, True, copies="modelPath", outputs="evalNodeNames"),
        Action("dumpNodes", "load", supported=True),
        Action("dumpNode", "load", supported=True),
        Action("dumpnode", "load", supported=True),
        Action("plot", "load", supported=True),
        Action("SVD", "load", "outputModelPath", supported=True),
        Action("convertdbn", "none", "modelPath"),
        Action("exportdbn", "load"),
        Action("createLabelMap", supported=True),
        Action("writeWordAndClass", supported=True),
        Action("devtest"),
    )
}
"""All actions by name; capitals matter."""

BUILDERS = (
    "createNetwork",
    "SimpleNetworkBuilder",
    "NDLNetworkBuilder",
    "BrainScriptNetworkBuilder",
    "ExperimentalNetworkBuilder",
)
"""Keys that describe a network, in the order in which they are looked for."""


SGD_KEYS = ("SGD", "optimizer")
"""Names of the block with the settings of a training."""


@dataclass(slots=True)
class Command:
    """A section that is run, and one action of it."""

    name: str
    action: str
    section: Section
    action_span: Span
    name_span: Span

    @property
    def kind(self) -> Action:
        return ACTIONS[self.action]

    def builder(self) -> Value | None:
        """The network description that counts for this command, expanded."""
        for key in BUILDERS:
            value = self.section.lookup(key)
            if value is not None:
                return value
        return None

    @property
    def runs_script(self) -> bool:
        """Whether this edits models by a script, not by a network description."""
        return self.kind.network == "edit" and self.section.lookup("BrainScriptNetworkBuilder") is None

    def blocks(self) -> list[Section]:
        """The command's section, and the blocks outside of it that its action looks up."""
        found = [self.section]
        for key in (*self.reader_keys, *(SGD_KEYS if self.kind.trains else ())):
            holder = self.section.holder(key)
            if holder is None or holder is self.section:
                continue
            with suppress(BsError):  # a `$x$` in it without a value is said when it is used
                block = holder.own_section(key)
                found += [] if block is None else [block]
        return found

    @property
    def reader_keys(self) -> tuple[str, ...]:
        """Keys of the readers that the action uses."""
        return ("reader", "cvReader") if self.kind.trains else ("reader",) if self.kind.reads_data else ()

    def sgd(self) -> Section | None:
        """The block with the settings of a training; None for other actions, and where there is none."""
        found = (self.section.section(key) for key in SGD_KEYS) if self.kind.trains else ()
        return next((block for block in found if block is not None), None)

    @property
    def precision(self) -> str:
        return self.section.get_string("precision", "float").lower()

    @property
    def trace_level(self) -> int:
        return self.section.get_integer("traceLevel", 0)

    @property
    def model_path(self) -> Value | None:
        return self.section.get("modelPath")


def command_names(config: Section) -> list[Value]:
    """What `command = a:b` lists; `train` if there is none."""
    value = config.get("command")
    if value is None:
        train = config.own("train")
        if train is None:
            raise BsError(
                "missing-key", "the config does not say which sections to run", config.span, help="add `command = name`"
            )
        return [Value("command", train.raw.slice(0, 0), train.key_span)]
    return value.array()


def commands(config: Section) -> list[Command]:
    """All commands in order; raises for a section or action that does not exist."""
    found: list[Command] = []
    for value in command_names(config):
        found += commands_of(config, value)
    return found


def commands_of(config: Section, value: Value) -> list[Command]:
    from difflib import get_close_matches

    name = value.text or "train"
    section = config.own_section(name)
    if section is None:
        blocks = [v.key for v in config if v.raw.text[:1] in ("[", "{")]
        meant = get_close_matches(name, blocks, 1, 0.6) or [b for b in blocks if b.lower() == name.lower()]
        fixes = [Fix(f"change to {meant[0]}", (Edit(value.span, meant[0]),))] if meant else []
        raise BsError(
            "unknown-command",
            f"there is no section '{name}' to run",
            value.span,
            help=f"did you mean '{meant[0]}'?" if meant else "sections: " + ", ".join(blocks),
            fixes=fixes,
        )
    action = section.get("action")
    if action is None:
        raise BsError(
            "missing-key",
            f"section '{name}' has no action",
            section.span,
            help='add `action = "train"`, or another action',
        )
    return [Command(name, a.text, section, a.span, value.span) for a in map(check_action, action.array())]


def check_action(value: Value) -> Value:
    """The name of an action, or an error that says which one was probably meant."""
    from difflib import get_close_matches

    if value.text in ACTIONS:
        return value
    meant = [a for a in ACTIONS if a.lower() == value.text.lower()] or get_close_matches(value.text, ACTIONS, 1, 0.6)
    span = value.span
    quoted = span.text.startswith('"')
    fixes = (
        [Fix(f"change to {meant[0]}", (Edit(span, f'"{meant[0]}"' if quoted else meant[0]),), safe=True)]
        if meant
        else []
    )
    raise BsError(
        "unknown-action",
        f"unknown action '{value.text}'",
        span,
        help=f"did you mean '{meant[0]}'?" if meant else "actions: " + ", ".join(ACTIONS),
        fixes=fixes,
    )
