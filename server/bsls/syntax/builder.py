"""Makes the tree while the grammar is parsed."""

from __future__ import annotations

from typing import Any

from lark import Token, Transformer, v_args

from bsls.finding import Finding
from bsls.syntax import tree
from bsls.syntax.tree import Expr, Home


def _start(item: Any) -> int:
    return item.start_pos if isinstance(item, Token) else item.start


def _end(item: Any) -> int:
    return item.end_pos if isinstance(item, Token) else item.end


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
                value = tree.Function(self.home, name.start_pos, value.end, head, value)
            else:  # index range
                variable, low, high = head
                parameter = tree.Parameter(self.home, variable.start_pos, variable.end_pos, str(variable), None)
                function = tree.Function(self.home, name.start_pos, value.end, [parameter], value)
                value = tree.ArrayByIndex(self.home, name.start_pos, value.end, low, high, function)
        return tree.Member(self.home, name.start_pos, value.end, str(name), value, name.end_pos)

    def index_range(self, variable: Token, low: Expr, high: Expr) -> tuple[Token, Expr, Expr]:
        return variable, low, high

    def parameters(self, *items: Any) -> list[tree.Parameter]:
        return list(items[1:-1])

    def positional_parameter(self, name: Token) -> tree.Parameter:
        return tree.Parameter(self.home, name.start_pos, name.end_pos, str(name), None)

    def optional_parameter(self, name: Token, default: Expr) -> tree.Parameter:
        return tree.Parameter(self.home, name.start_pos, default.end, str(name), default)

    def function(self, name: Token, body: Expr) -> tree.Function:
        parameter = tree.Parameter(self.home, name.start_pos, name.end_pos, str(name), None)
        return tree.Function(self.home, name.start_pos, body.end, [parameter], body)

    def array(self, first: Expr, *rest: Expr) -> tree.Array:
        elements = list(first.elements) if isinstance(first, tree.ParenthesizedArray) else [first]
        return tree.Array(self.home, first.start, rest[-1].end, [*elements, *rest])

    def binary(self, left: Expr, op: Token, right: Expr) -> tree.Binary:
        return tree.Binary(self.home, left.start, right.end, str(op), left, right)

    def unary(self, op: Token, operand: Expr) -> tree.Unary:
        return tree.Unary(self.home, op.start_pos, operand.end, str(op), operand)

    def access(self, object: Expr, name: Token) -> tree.Access:
        return tree.Access(self.home, object.start, name.end_pos, object, str(name), name.start_pos)

    def index(self, array: Expr, index: Expr, close: Token) -> tree.Index:
        return tree.Index(self.home, array.start, close.end_pos, array, index)

    def call(self, function: Expr, arguments: tuple[list[tree.Argument], int]) -> tree.Call:
        return tree.Call(self.home, function.start, arguments[1], function, arguments[0])

    def arguments(self, *items: Any) -> tuple[list[tree.Argument], int]:
        return list(items[1:-1]), items[-1].end_pos

    def positional_argument(self, value: Expr) -> tree.Argument:
        return tree.Argument(self.home, value.start, value.end, "", value)

    def named_argument(self, name: Token, value: Expr) -> tree.Argument:
        return tree.Argument(self.home, name.start_pos, value.end, str(name), value)

    def number(self, token: Token) -> tree.Number:
        value = float(int(token, 16)) if token[:2].lower() == "0x" else float(token)
        return tree.Number(self.home, token.start_pos, token.end_pos, value)

    def string(self, token: Token) -> tree.String:
        return tree.String(self.home, token.start_pos, token.end_pos, str(token[1:-1]))

    def true(self, token: Token) -> tree.Boolean:
        return tree.Boolean(self.home, token.start_pos, token.end_pos, True)

    def false(self, token: Token) -> tree.Boolean:
        return tree.Boolean(self.home, token.start_pos, token.end_pos, False)

    def name(self, token: Token) -> tree.Name:
        return tree.Name(self.home, token.start_pos, token.end_pos, str(token))

    def new(self, keyword: Token, type: Token, argument: Expr) -> tree.New:
        return tree.New(self.home, keyword.start_pos, argument.end, str(type), argument)

    def conditional(self, keyword: Token, condition: Expr, then: Expr, otherwise: Expr) -> tree.Conditional:
        return tree.Conditional(self.home, keyword.start_pos, otherwise.end, condition, then, otherwise)

    def parentheses(self, open: Token, inner: Expr, close: Token) -> Expr:
        if type(inner) is tree.Array:
            return tree.ParenthesizedArray(self.home, open.start_pos, close.end_pos, inner.elements)
        inner.start, inner.end = open.start_pos or 0, close.end_pos or 0
        return inner

    def record(self, *items: Any) -> tree.Record:
        members: dict[str, tree.Member] = {}
        record = tree.Record(self.home, items[0].start_pos, items[-1].end_pos, members)
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

    def array_literal(self, *items: Any) -> tree.Array:
        return tree.Array(self.home, _start(items[0]), _end(items[-1]), list(items[1:-1]))

    def array_by_index(self, keyword: Token, low: Expr, high: Expr, function: Expr, close: Token) -> tree.ArrayByIndex:
        return tree.ArrayByIndex(self.home, keyword.start_pos, close.end_pos, low, high, function)
