"""Values as text: what `Print` writes and `Format` gives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bsls.evaluate.values import BsArray, NetworkValue, RecordScope, kind, show_number
from bsls.network.node import Node
from bsls.shape import Shape

if TYPE_CHECKING:
    from bsls.evaluate.interpreter import Interpreter

_MAX_SHOWN = 1000  # values inside one another that are shown
_FORMAT = re.compile(r"[-+ #0]*\d{0,2}(\.\d{0,2})?")


def is_format(how: str) -> bool:
    """Whether `how` is what may stand between `%` and the type in C: flags, width, precision."""
    return _FORMAT.fullmatch(how) is not None


def format_value(interpreter: Interpreter, value: object, how: str = "", depth: int = 0) -> str:
    """A value as the reference prints it; `how` is the format of numbers and strings, such as `.2`.

    Whole numbers are printed without a decimal point whatever the format says. Arrays are in parentheses, records in
    brackets, an element or member a line, members in the order of their names. Booleans, functions and networks, for
    which the reference prints the name of a C++ class, are called what they are, and strings in arrays are whole, which
    it cuts to their first character.
    """
    if depth > _MAX_SHOWN:
        return "..."
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        whole = abs(value) < 2**31 and value == int(value)
        return f"%{how}{'d' if whole else 'f'}" % value if how else show_number(value)
    if isinstance(value, str):
        return f"%{how}s" % value
    if isinstance(value, BsArray):
        elements = [format_value(interpreter, interpreter.force(t), how, depth + 1) for t in value.elements]
        return f"({_indented(elements)[1:]} )" if elements else "(  )"
    if isinstance(value, RecordScope):
        members: list[str] = []
        for name in sorted(value.names()):
            thunk = value.own(name)
            assert thunk is not None
            members.append(f"{name} = {format_value(interpreter, interpreter.force(thunk), how, depth + 1)}")
        return f"[\n{_indented(members)}\n]"
    if isinstance(value, Node):
        dims = value.attributes.get("dims")
        shape = value.shape or Shape(dims if isinstance(dims, tuple) else ())
        inputs = f"(\n{_indented([i.name for i in value.inputs])}\n)" if value.inputs else "()"
        return f"{value.name} : {value.op} {shape} {inputs}"
    if isinstance(value, NetworkValue) and value.path:
        return f"the network of {value.path}"
    return kind(value)


def _indented(lines: list[str]) -> str:
    return "\n".join(f"  {line}" for text in lines for line in text.split("\n"))
