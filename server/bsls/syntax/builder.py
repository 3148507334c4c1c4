"""Makes the tree while the grammar is parsed."""

from __future__ import annotations

from typing import Any

from lark import Token, Transformer, v_args

from bsls.finding import BsError, Finding
from bsls.syntax import tree
from bsls.syntax.tree import Expr, Home


def _start(item: Any) -> int:
    return (item.start_pos or 0) if isinstance(item, Token) else item.start


def _end(item: Any) -> int:
    return (item.end_pos or 0) if isinstance(item, Token) else item.end


@v_args(inline=True)
class TreeBuilder(Transformer):
    """Callbacks of the grammar's rules. `home` is set before each parse."""

    home: Home

    def start(self, member: tree.Member) -> tree.Member:
        return member

    def member(self, name: Token, *rest: Any) -> tree.Member:
        *heads, value = rest
        for head in reversed(heads):
            if isinstance(head, list):  # parameters
                value = tree.Function(self.home, _start(name), value.end, head, value)
            else:  # index range
                variable, low, high = head
                parameter = tree.Parameter(self.home, _start(variable), _end(variable), str(variable), None)
                function = tree.Function(self.home, _start(name), value.end, [parameter], value)
                value = tree.ArrayByIndex(self.home, _start(name), value.end, low, high, function)
        return tree.Member(self.home, _start(name), value.end, str(name), value, _end(name))

    def index_range(self, variable: Token, low: Expr, high: Expr) -> tuple[Token, Expr, Expr]:
        return variable, low, high

    def parameters(self, *items: Any) -> list[tree.Parameter]:
        return list(items[1:-1])

    def positional_parameter(self, name: Token) -> tree.Parameter:
        return tree.Parameter(self.home, _start(name), _end(name), str(name), None)

    def optional_parameter(self, name: Token, default: Expr) -> tree.Parameter:
        return tree.Parameter(self.home, _start(name), default.end, str(name), default)

    def function(self, name: Token, body: Expr) -> tree.Function:
        parameter = tree.Parameter(self.home, _start(name), _end(name), str(name), None)
        return tree.Function(self.home, _start(name), body.end, [parameter], body)

    def array(self, first: Expr, *rest: Expr) -> tree.Array:
        elements = list(first.elements) if isinstance(first, tree.ParenthesizedArray) else [first]
        return tree.Array(self.home, first.start, rest[-1].end, [*elements, *rest])

    def binary(self, left: Expr, op: Token, right: Expr) -> tree.Binary:
        quoted = op[0] in "'\""
        sign = str(op)[1:-1] if quoted else str(op)
        return tree.Binary(self.home, left.start, right.end, sign, left, right, quoted)

    def unary(self, op: Token, operand: Expr) -> tree.Unary:
        return tree.Unary(self.home, _start(op), operand.end, str(op), operand)

    def access(self, object: Expr, name: Token) -> tree.Access:
        return tree.Access(self.home, object.start, _end(name), object, str(name), _start(name))

    def index(self, array: Expr, index: Expr, close: Token) -> tree.Index:
        return tree.Index(self.home, array.start, _end(close), array, index)

    def call(self, function: Expr, arguments: tuple[list[tree.Argument], int]) -> tree.Call:
        return tree.Call(self.home, function.start, arguments[1], function, arguments[0])

    def arguments(self, *items: Any) -> tuple[list[tree.Argument], int]:
        arguments, close = list(items[1:-1]), items[-1]
        if arguments and isinstance(arguments[0].value, tree.String) and not arguments[0].name:
            self._refuse_closer(arguments[0].value, close)
        return arguments, _end(close)

    def positional_argument(self, value: Expr) -> tree.Argument:
        return tree.Argument(self.home, value.start, value.end, "", value)

    def named_argument(self, name: Token, value: Expr) -> tree.Argument:
        return tree.Argument(self.home, _start(name), value.end, str(name), value)

    def number(self, token: Token) -> tree.Number:
        value = float(int(token, 16)) if token[:2].lower() == "0x" else float(token)
        return tree.Number(self.home, _start(token), _end(token), value)

    def string(self, token: Token) -> tree.String:
        return tree.String(self.home, _start(token), _end(token), str(token[1:-1]))

    def true(self, token: Token) -> tree.Boolean:
        return tree.Boolean(self.home, _start(token), _end(token), True)

    def false(self, token: Token) -> tree.Boolean:
        return tree.Boolean(self.home, _start(token), _end(token), False)

    def name(self, token: Token) -> tree.Name:
        return tree.Name(self.home, _start(token), _end(token), str(token), _start(token))

    def new(self, keyword: Token, type: Token, argument: Expr) -> tree.New:
        return tree.New(self.home, _start(keyword), argument.end, str(type), argument)

    def conditional(self, keyword: Token, condition: Expr, then: Expr, otherwise: Expr) -> tree.Conditional:
        return tree.Conditional(self.home, _start(keyword), otherwise.end, condition, then, otherwise)

    def parentheses(self, open: Token, inner: Expr, close: Token) -> Expr:
        if type(inner) is tree.Array:
            return tree.ParenthesizedArray(self.home, _start(open), _end(close), inner.elements)
        inner.start, inner.end = _start(open), _end(close)
        return inner

    def record(self, *items: Any) -> tree.Record:
        members: dict[str, tree.Member] = {}
        record = tree.Record(self.home, _start(items[0]), _end(items[-1]), members)
        for member in items[1:-1]:
            if member.name in members:
                record.problems.append(
                    Finding(
                        "syntax",
                        f"duplicate member definition '{member.name}'",
                        member.name_span,
                        help="give one of them another name",
                    )
                )
            members[member.name] = member
        return record

    def _refuse_closer(self, first: tree.String, close: Token) -> None:
        """The reference takes a string that reads like the closing bracket for it, directly after the opening one."""
        if first.value == close and first.end - first.start == len(close) + 2:
            raise BsError(
                "syntax", f"a string '{close}' cannot stand directly behind the bracket that '{close}' closes", first.span,
                help=f"put it into parentheses: ('{close}')",
            )  # fmt: skip

    def array_literal(self, *items: Any) -> tree.Array:
        elements, close = list(items[1:-1]), items[-1]
        if elements and isinstance(elements[0], tree.String):
            self._refuse_closer(elements[0], close)
        return tree.Array(self.home, _start(items[0]), _end(close), elements)

    def array_by_index(self, keyword: Token, low: Expr, high: Expr, function: Expr, close: Token) -> tree.ArrayByIndex:
        return tree.ArrayByIndex(self.home, _start(keyword), _end(close), low, high, function)
