"""What every block of a config may hold: its keys with type, default, allowed values and doc.

The table is data: one JSON file per family of blocks beside this file, one key a line, read when a block of that family
is first asked for. Names of blocks are dotted paths without the command: `train`, `SGD.AutoAdjust`, `write.format`,
`reader:ImageReader.features`, `deserializers.input.<stream>`; `top` is the top level and `command` a section with an
action not known yet. All lookups of keys ignore case, as the config language does.

A key may stand in an enclosing block instead (`minibatchSize` one level above `SGD`), since lookups climb: `find` sees
the keys of a block, `find_below` also those of the blocks inside it that may be given here for them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

Inner = Mapping[str, str] | Callable[[str], str | None]
"""How `opens` looks into the block in question: from a key in lower case to its text, nothing where it is absent."""

_FAMILIES = ("top", "actions", "sgd", "builders", "readers", "deserializers", "write")
_FAMILY_OF = {
    "top": "top",
    "command": "top",
    "SGD": "sgd",
    "BrainScriptNetworkBuilder": "builders",
    "NDLNetworkBuilder": "builders",
    "SimpleNetworkBuilder": "builders",
    "reader": "readers",
    "deserializers": "deserializers",
    "write": "write",
}  # any other root is in `actions`


@dataclass(frozen=True, slots=True)
class Key:
    """One setting of a block.

    `type` is one of int, float, bool, string, path, enum, node (a node name), block, or array<…>, or schedule<…> (a value
    per epoch, `0.1*3:0.05`); `|` separates alternatives. `default` None means that there is none; `default_doc` says in
    words what a default depends on. Where `values` are given without `exact`, capitals do not matter. `range` is an
    interval (`[0, 1)`) that each number must lie in.
    """

    name: str
    type: str
    default: object = None
    required: bool = False
    values: tuple[str, ...] = ()
    doc: str = ""
    aliases: tuple[str, ...] = ()
    deprecated: bool = False
    default_doc: str = ""
    required_when: str = ""  # in words, where `required` depends on other keys
    exact: bool = False  # capitals of the value matter
    range: str = ""
    local: bool = False  # looked up in its own block only
    ignored: bool = False  # CNTK 2.7 does not read it here
    ours: bool = False  # read by `bsls run` alone
    replaced_by: str = ""  # the key to use instead
    only_for: tuple[str, ...] = ()  # types of deserializers that read it

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(self.type.split("|"))

    def allows(self, text: str) -> bool:
        """Whether `text` is one of `values` (True where there are none)."""
        if not self.values or text in self.values:
            return True
        return not self.exact and text.lower() in {value.lower() for value in self.values}

    def within(self, number: float) -> bool:
        """Whether `number` lies in `range` (True where there is none)."""
        if not self.range:
            return True
        low, high = (float(end) for end in self.range[1:-1].split(","))
        above = number >= low if self.range[0] == "[" else number > low
        below = number <= high if self.range[-1] == "]" else number < high
        return above and below


@dataclass(frozen=True, slots=True)
class Opening:
    """A sub-block: a key (`*`: any) whose value is the block `block`, if that holds one of the keys `having`."""

    key: str
    block: str
    having: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """A block whose kind a key of its own decides: `by` is the key, `blocks` maps its values to names of blocks."""

    by: str
    blocks: Mapping[str, str]
    default: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """One kind of block. `any` marks blocks whose keys are names given by the user; `removed`, actions that are no more."""

    name: str
    doc: str
    own_keys: Mapping[str, Key]
    extends: str = ""
    openings: tuple[Opening, ...] = ()
    choice: Choice | None = None
    any: bool = False
    removed: bool = False


def _read_key(entry: dict[str, object]) -> Key:
    lists = {name: tuple(entry[name]) for name in ("values", "aliases", "only_for") if name in entry}  # type: ignore[arg-type]
    return Key(**{**entry, **lists})  # type: ignore[arg-type]


def _read_block(name: str, entry: dict) -> Block:
    chosen = entry.get("chosen")
    return Block(
        name,
        entry["doc"],
        MappingProxyType({key["name"].lower(): _read_key(key) for key in entry["keys"]}),
        entry.get("extends", ""),
        tuple(Opening(o[0], o[1], tuple(o[2]) if len(o) > 2 else ()) for o in entry.get("opens", ())),
        Choice(chosen["by"], MappingProxyType(chosen["blocks"]), chosen.get("default", "")) if chosen else None,
        entry.get("any", False),
        entry.get("removed", False),
    )


@cache
def _family(name: str) -> dict[str, Block]:
    text = Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8")
    return {block: _read_block(block, entry) for block, entry in json.loads(text).items()}


def blocks() -> tuple[str, ...]:
    """The names of all kinds of blocks."""
    return tuple(name for family in _FAMILIES for name in _family(family))


def block(name: str) -> Block | None:
    """The kind of block called `name`, which is spelt as in `blocks()`."""
    root = name.split(".", 1)[0].split(":", 1)[0]
    return _family(_FAMILY_OF.get(root, "actions")).get(name)


def _lineage(name: str) -> Iterator[Block]:
    """The block and those that it extends, nearest first."""
    found = block(name)
    while found:
        yield found
        found = block(found.extends) if found.extends else None


def _openers(name: str) -> Iterator[Block]:
    """The blocks whose sub-blocks `name` may have: not those out of which it was chosen."""
    for kind in _lineage(name):
        if kind.name == name or not kind.choice:
            yield kind


@cache
def keys(name: str) -> Mapping[str, Key]:
    """All keys of a block by their names in lower case, those that it inherits included; empty for an unknown block."""
    result: dict[str, Key] = {}
    for kind in _lineage(name):
        for lower, key in kind.own_keys.items():
            result.setdefault(lower, key)
    return MappingProxyType(result)


def find(name: str, key: str) -> Key | None:
    """The key `key` (or the one that has it as an alias) of the block `name`."""
    wanted = key.lower()
    table = keys(name)
    if wanted in table:
        return table[wanted]
    return next((k for k in table.values() if any(wanted == alias.lower() for alias in k.aliases)), None)


@cache
def below(name: str) -> tuple[str, ...]:
    """The blocks that may stand inside the block `name`, at any depth, nearest first (itself not included)."""
    found: dict[str, None] = {}
    queue = [name]
    for current in queue:  # grows while it is walked
        for kind in _openers(current):
            inside = [opening.block for opening in kind.openings]
            inside += kind.choice.blocks.values() if kind.choice else ()
            for inner in inside:
                if inner not in found and inner != name:
                    found[inner] = None
                    queue.append(inner)
    return tuple(found)


def find_below(name: str, key: str) -> tuple[str, Key] | None:
    """The nearest block inside `name` whose lookup of `key` would climb to `name`, and that key of it."""
    for inner in below(name):
        found = find(inner, key)
        if found and not found.local:
            return inner, found
    return None


def known_in(key: str) -> list[str]:
    """The names of all blocks that have a key called so."""
    return [name for name in blocks() if find(name, key)]


def actions(text: str) -> list[str]:
    """The blocks of the actions named in an `action` value (`train`, `test:write`); `command` for an unknown one."""
    command = block("command")
    assert command and command.choice
    names = [name.strip() for name in text.strip("() ").split(":")]
    return [command.choice.blocks.get(name, command.name) for name in names]


def choose(name: str, inner: Inner) -> str:
    """The kind that a block turns out to be by its content, `reader` with its readerType `reader:ImageReader`, say.

    A block whose deciding key holds an unknown value stays what it was; of several actions the first one counts.
    """
    get = inner.get if isinstance(inner, Mapping) else inner
    kind = block(name)
    if name == "reader" and get("deserializers") is not None:
        return "reader:CompositeReader"
    if name == "reader" and get("readers") is not None:
        return name
    if not kind or not kind.choice:
        return name
    value = get(kind.choice.by.lower()) or kind.choice.default
    if name == "command":
        return actions(value)[0]
    return kind.choice.blocks.get(value, name)


def opens(name: str, key: str, inner: Inner = MappingProxyType({})) -> str | None:
    """The kind of block that the key `key` of block `name` opens; `inner` looks into it. None where nothing is known.

    A block may also be given one or more levels further out than where it belongs (`SGD` at the top), as any key.
    """
    get = inner.get if isinstance(inner, Mapping) else inner
    wanted = key.lower()

    def fits(opening: Opening) -> bool:
        return not opening.having or any(get(k.lower()) is not None for k in opening.having)

    for kind in _openers(name):
        for opening in kind.openings:
            if opening.key.lower() == wanted and fits(opening):
                return choose(opening.block, inner)
    for further in below(name):
        for opening in (o for kind in _openers(further) for o in kind.openings):
            if opening.key.lower() == wanted and fits(opening):
                return choose(opening.block, inner)
    for kind in _openers(name):
        for opening in kind.openings:
            if opening.key == "*" and fits(opening):
                return choose(opening.block, inner)
    return None
