"""Values, nodes, functions and config keys in words, for hovers and the docs of completions."""

from __future__ import annotations

from bsls.config.commands import Command
from bsls.evaluate.roots import SPECIAL
from bsls.evaluate.values import DONE, BsArray, BsFunction, NetworkValue, RecordScope, Thunk, Unknown, show_number
from bsls.features.callee import Callee
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.schema import config as schema
from bsls.schema import ops
from bsls.schema.config import Key
from bsls.syntax.tree import Expr

_MAX_SHOWN = 8
"""Elements of arrays and names of members that are shown."""

_GROUPS = {
    "feature": "Inputs that hold features.",
    "label": "Inputs that hold labels.",
    "criterion": "What a training minimises; only the first one counts.",
    "evaluation": "What is computed and shown beside the criterion, in trainings and tests.",
    "output": "What a `write` command writes if it names no nodes.",
}


def code(text: str) -> str:
    """A block of code."""
    return f"```brainscript\n{text}\n```"


def paragraphs(*parts: str) -> str:
    """The parts that are not empty, one below the other."""
    return "\n\n".join(part for part in parts if part)


def node_detail(node: Node) -> str:
    """`Tanh [32 x *]`."""
    return f"{node.op} {node.shape}" if node.shape is not None else node.op


def node_text(node: Node, network: Network | None = None) -> str:
    """A node as the log prints it, and what it is, in its network if that is given."""
    op = ops.get(node.op)
    groups = [group for group, nodes in network.groups.items() if node in nodes] if network is not None else []
    words = list(dict.fromkeys([*node.tags, *groups]))
    if node.is_input:
        words.insert(0, "input")
    if node.is_parameter:
        words.insert(0, "learnable parameter" if node.is_learnable else "constant, not trained")
        if node.shape is not None and node.shape.known:
            words.insert(0, _count(node.shape.elements, "value"))
        init = node.attributes.get("init")
        if isinstance(init, str) and init and node.value is None:
            words.append(f"starts as `{init}`")
    limits = op.reference_limits if op is not None else ""
    return paragraphs(code(node.prototype), " · ".join(words), op.doc if op is not None else "", limits)


def short(value: object) -> str:
    """A value in a few words."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return show_number(value)
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 60 else f'"{value[:60]}…"'
    if isinstance(value, Node):
        return node_detail(value)
    if isinstance(value, BsArray):
        shown = [_element(t) for t in value.elements[:_MAX_SHOWN]]
        return f"({' : '.join(shown)}{' : …' if len(value.elements) > _MAX_SHOWN else ''})"
    if isinstance(value, RecordScope):
        names = list(value.names())
        return f"{{ {', '.join(names[:_MAX_SHOWN])}{', …' if len(names) > _MAX_SHOWN else ''} }}"
    if isinstance(value, BsFunction):
        return f"function ({', '.join([*value.positional, *(f'{n} = …' for n in value.optional)])})"
    if isinstance(value, NetworkValue):
        return f"network of {value.path}" if value.path else "network"
    return ""


def special_text(name: str) -> str:
    """What a member such as `featureNodes` does."""
    return _GROUPS[SPECIAL[name]]


def _element(thunk: Thunk) -> str:
    if thunk.state == DONE and not isinstance(thunk.value, Unknown):
        return thunk.value.name if isinstance(thunk.value, Node) else short(thunk.value)
    return written(thunk.expr, 20) if thunk.expr is not None else "?"


def written(expr: Expr, length: int) -> str:
    """The text of an expression on one line, cut off behind `length` characters."""
    text = " ".join(expr.span.text.split())
    return text if len(text) <= length else text[:length] + "…"


def value_text(name: str, value: object) -> str:
    """What a variable is."""
    if name in SPECIAL:
        nodes = value.elements if isinstance(value, BsArray) else [Thunk.done(value)]
        return paragraphs(code(f"{name} = ({' : '.join(map(_element, nodes))})"), special_text(name))
    if isinstance(value, Node):
        return node_text(value)
    if isinstance(value, BsArray):
        return paragraphs(code(f"{name} = {short(value)}"), f"array of {_count(len(value.elements), 'element')}")
    if isinstance(value, RecordScope):
        lines = [f"{name} = {{"]
        members = list(value.names())
        for member in members[:_MAX_SHOWN]:
            thunk = value.own(member)
            known = short(thunk.value) if thunk is not None and thunk.state == DONE else ""
            if not known and member in value.members:
                known = written(value.members[member].value, 60)
            lines.append(f"    {member}{f' = {known}' if known else ''}")
        if len(members) > _MAX_SHOWN:
            lines.append("    …")
        return code("\n".join([*lines, "}"]))
    if isinstance(value, NetworkValue):
        return network_text(name, value)
    shown = short(value)
    return code(f"{name} = {shown}") if shown else ""


def network_text(name: str, value: NetworkValue) -> str:
    """What a loaded model is."""
    note = "not all of it is known" if not value.complete else ""
    if is_foreseen(value.network):
        note = "not trained yet: these are the nodes that the command which writes it will make"
    return paragraphs(code(f'{name} = BS.Network.Load ("{value.path}")'), network_summary(value.network), note)


def is_foreseen(network: Network) -> bool:
    """Whether a network was not read from a file: its parameters have no values."""
    return any(node.value is None for node in network.parameters)


def network_summary(network: Network) -> str:
    """`23 nodes, 6 of them parameters with 5,000 values`."""
    parameters = network.parameters
    values = sum(n.shape.elements for n in parameters if n.shape is not None)
    return f"{_count(len(network), 'node')}, {len(parameters)} of them parameters with {_count(values, 'value')}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def callee_text(callee: Callee) -> str:
    """A function's signature, doc and where it is defined."""
    member = callee.member
    where = ""
    if member is not None and member.home.library:
        where = f"*library, {member.span.source.path.replace(chr(92), '/').rpartition('/')[2]}*"
    label = callee.label
    if len(label) > 100 and callee.optional:
        opener, closer = "{}" if callee.braces else "()"
        label = f"{callee.name} {opener}\n    " + ",\n    ".join(callee.parameters) + f"\n{closer}"
    return paragraphs(code(label), " ".join(callee.doc.split("\n")) if callee.doc else "", where)


# --- config ----------------------------------------------------------------------------------------------------------


def default_text(key: Key) -> str:
    """The default of a key as it would be written; empty where there is none."""
    default = key.default
    if default is None or default == [] or default == "":
        return key.default_doc
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list):
        return ":".join(str(d) for d in default)
    return str(default)


def key_detail(key: Key) -> str:
    """Type and default in a few words."""
    if key.required:
        return f"{key.type}, required"
    default = default_text(key)
    return f"{key.type} = {default}" if default and len(default) < 40 else key.type


def key_text(key: Key) -> str:
    """What a key is for, what it may be, and what is odd about it."""
    facts: list[str] = []
    default = default_text(key)
    if key.required or key.required_when:
        facts.append("required" + (f" {key.required_when}" if key.required_when else ""))
    elif default:
        facts.append(f"default: {default if key.default_doc and default == key.default_doc else f'`{default}`'}")
    if key.values:
        facts.append("one of " + ", ".join(f"`{v}`" for v in key.values))
    if key.range:
        facts.append(f"in {key.range}")
    if key.aliases:
        facts.append("also written " + ", ".join(f"`{a}`" for a in key.aliases))
    notes: list[str] = []
    if key.replaced_by:
        notes.append(f"**Deprecated**: use `{key.replaced_by}`.")
    elif key.deprecated:
        notes.append("**Deprecated.**")
    if key.ignored:
        notes.append("**Ignored**: CNTK 2.7 does not read it.")
    if key.ours:
        notes.append("**Of bsls**: CNTK ignores it.")
    return paragraphs(code(f"{key.name} : {key.type}"), key.doc, "  \n".join(facts), " ".join(notes))


def value_meaning(kind: str, key: str, value: str) -> str:
    """What a value of a key means where it decides the kind of its block (`action`, `readerType`, `type`)."""
    for name in _chosen_from(kind):
        block = schema.block(name)
        choice = block.choice if block is not None else None
        if choice is not None and choice.by.lower() == key.lower():
            chosen = next((b for v, b in choice.blocks.items() if v.lower() == value.lower()), None)
            found = schema.block(chosen) if chosen is not None else None
            return found.doc if found is not None else ""
    return ""


def _chosen_from(kind: str) -> list[str]:
    """The kinds out of which a block was chosen; a command's section is one of `command`."""
    found = [kind]
    while (block := schema.block(found[-1])) is not None and block.extends:
        found.append(block.extends)
    return [*found, "command"]


def command_text(command: Command, network: Network | None) -> str:
    """A command's action, its model, and how large its network is."""
    path = command.model_path
    model = f"model `{path.text}`" if path is not None else ""
    block = schema.block(schema.actions(command.action)[0])
    summary = network_summary(network) if network is not None else ""
    return paragraphs(f"command `{command.name}`: **{command.action}**", block.doc if block else "", model, summary)
