"""What expressions without nodes come to."""

from __future__ import annotations

import re

import pytest
from networks import evaluate


def value(expression: str, before: str = "") -> str:
    """What Print shows of an expression; arrays as (a:b:c)."""
    outcome = evaluate(f"{before}\nprinted = Print ({expression})")
    assert [str(f) for f in outcome.findings] == []
    return re.sub(r"\n *", ":", outcome.printed[0]).replace("( ", "(").replace(" )", ")")


@pytest.mark.parametrize(("expression", "lines"), [
    ("1 : 2.5", ["( 1", "  2.500000 )"]),
    ("[| |]", ["(  )"]),
    ("Repeat (2, 7)", ["( ( (  )", "    7 )", "  7 )"]),
    ("[ b = 1 ; a = 'x' : true ]", ["[", "  a = ( x", "    true )", "  b = 1", "]"]),
    ("[ ]", ["[", "", "]"]),
    ("Input {3}", ["printed.value : InputValue [3] ()"]),
    ("Tanh (Input {(3:4)})", ["printed.value : Tanh [] (", "  printed.value.z", ")"]),
    ("ParameterTensor {(2:0)}", ["printed.value : LearnableParameter [2 x 0] ()"]),
    ("Format (3, '.2')", ["03"]),  # a whole number is never given decimals
    ("Format (3.14159 : 2, '6.2')", ["(   3.14", "      02 )"]),
    ("Format ('ab', '4')", ["  ab"]),
    ("x => x", ["a function"]),
])  # fmt: skip
def test_print(expression: str, lines: list[str]) -> None:
    assert evaluate(f"printed = Print ({expression})").printed == ["\n".join(lines)]


@pytest.mark.parametrize(("expression", "expected"), [
    ("1 + 2 * 3", "7"), ("7 / 2", "3.500000"), ("7 % 3", "1"), ("-7 % 3", "-1"), ("-2 ** 2", "4"), ("2 * 3 ** 2", "36"),
    ("2 ** 3 ** 2", "64"), ("2 ** -1", "0.500000"), ("1 / 0", "inf"), ("-1 / 0", "-inf"), ("0 / 0", "nan"), ("5 % 0", "nan"),
    ("(-8) ** (1 / 3)", "nan"), ("10 ** 999", "inf"), ("(-10) ** 999", "-inf"), ("0 ** -1", "inf"), ("1e10", "10000000000.000000"),
    ("0x1F", "31"), ("2.*3", "6"), (".5 + 1", "1.500000"), ("+3", "3"), ("- -3", "3"),
    ("1 < 2", "true"), ("1 == 1", "true"), ("1 != 1", "false"), ("2 >= 2", "true"), ("2 <= 1", "false"), ("3 > 2", "true"),
    ("'a' + \"b\"", "ab"), ("'a' < 'b'", "true"), ("'a' == 'b'", "false"), ("'B' < 'a'", "true"),
    ("true && false", "false"), ("true || false", "true"), ("!true", "false"), ("false < true", "true"), ("true == true", "true"),
    ("if true then 1 else 2 + 3", "1"), ("if false then 1 else 2 + 3", "5"),
    ("1 : 2 : 3", "(1:2:3)"), ("(1 : 2) : 3", "(1:2:3)"), ("1 : (2 : 3)", "(1:(2:3))"), ("[| 1 |]", "(1)"), ("[| |]", "()"),
    ("array [0..2] (i => i * i)", "(0:1:4)"), ("array [0..-1] (i => i)", "()"), ("(5:6:7)[1]", "6"),
    ("array [2..4] (i => i)[3]", "3"), ("(1:2:3) << 1", "(2:3)"), ("(1:2) << 5", "()"),
    ("(i => i + 1) (2)", "3"), ("(i => j => i - j) (5) (2)", "3"), ("((i => i + 1) >> (i => i * 10)) (2)", "30"),
    ("{a = 1 ; b = a + c ; c = 5}.b", "6"), ("{a = {b = c} ; c = 7}.a.b", "7"),
    ("Length (1:2:3)", "3"), ("Length ('abc')", "3"), ("Length (Repeat (5, 1))", "2"), ("Repeat (2, 1)", "((():1):1)"),
    ("Mod (7, 3)", "1"), ("Mod (-7, 3)", "-1"), ("IntDiv (7, 2)", "3"), ("IntDiv (-7, 2)", "-3"),
    ("Fac (5)", "120"), ("Min (1, 2)", "1"), ("Max (1, 2)", "2"), ("Sign (-3)", "-1"), ("Sign (0)", "0"),
    ("Format (3.14159, '.2')", "3.14"), ("Format (3, '')", "3"), ("Replace ('abcab', 'b', 'xx')", "axxcaxx"), ("Replace ('a', '', 'x')", "a"),
    ("Substr ('hello', 1, 3)", "ell"), ("Substr ('hello', -3, 2)", "ll"), ("Substr ('hello', 1, -1)", "ello"), ("Chr (65)", "A"),
    ("IsArray (1:2)", "true"), ("IsArray (1)", "false"), ("IsDouble (1)", "true"), ("IsDouble (true)", "false"), ("IsBool (true)", "true"),
    ("IsSameObject (None, None)", "true"), ("IsSameObject ([||], None)", "false"), ("BS.Constants.IsNone (None)", "true"), ("BS.Constants.IsNone (1)", "false"),
    ("BS.Constants.True", "1"), ("Inferred", "0"), ("Identity (3)", "3"),
    ("precision", "float"), ("deviceId", "-1"),
])  # fmt: skip
def test_value(expression: str, expected: str) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(("before", "expression", "expected"), [
    ("a = 1\nr = {b = a ; a = 2}", "r.b", "2"),  # members of a record see each other
    ("a = 1\nr = {b = a}", "r.b", "1"),
    ("a = 1\nr = {b = 2}", "r.a", "1"),  # access climbs
    ("a = 1\nr = {s = {b = 2} ; c = 3}", "r.s.c + r.s.a", "4"),
    ("x = 1\nf (x) = x\ng (x) = f (x + 1)", "g (5)", "6"),
    ("x = 1\nf (a, b = x) = b\nr = {x = 2 ; y = f (0)}", "r.y", "1"),  # a default sees where the function stands
    ("f (a, b = 5) = a + b", "f (1)", "6"),
    ("f (a, b = 5) = a + b", "f (b = 1, 2)", "3"),
    ("f (a, b = 5) = a + b", "f {b = 1, 2}", "3"),
    ("b = 7\nf (a, b = 5) = a + b", "f (1, b = b)", "8"),  # arguments are those of the caller
    ("f (a) = 1", "f (Fail ('not needed'))", "1"),
    ("r = {a = 1 ; b = Fail ('not needed')}", "r.a", "1"),
    ("a = (1 : Fail ('not needed'))", "a[0]", "1"),
    ("f (n) = if n == 0 then 0 else f (n - 1) + n", "f (100)", "5050"),
    ("h[i:0..5] = if i < 2 then i else h[i-1] + h[i-2]", "h", "(0:1:1:2:3:5)"),
    ("f[i:1..3] (x) = i * x", "f[2] (10)", "20"),
    ("sum (a) = if Length (a) == 0 then 0 else a[0] + sum (a << 1)", "sum (1:2:3)", "6"),
    ("even (n) = if n == 0 then true else odd (n - 1)\nodd (n) = if n == 0 then false else even (n - 1)", "even (10)", "true"),
    ("f = Min\ng = f", "g (3, 2)", "2"),
    ("Sigmoid = 3", "Sigmoid", "3"),  # a name of the library can be taken
    ("precision = 'mine'", "precision", "mine"),
])  # fmt: skip
def test_scopes(before: str, expression: str, expected: str) -> None:
    assert value(expression, before) == expected


def test_a_value_is_computed_once() -> None:
    outcome = evaluate(
        "a = Print ('a') \n b = a + a \n f (x) = x + x + x \n c = f (Print ('x')) \n r = {m = Print ('m')} \n d = r.m + r.m"
    )
    assert sorted(outcome.printed) == ["a", "m", "x"]


def test_both_sides_of_and_are_evaluated() -> None:
    assert evaluate("a = false && Print (true)").printed == ["true"]


def test_defaults_are_evaluated_once_for_all_calls() -> None:
    assert evaluate("f (a, b = Print (1)) = a + b\nc = f (1) + f (2)\nd = f (3)").printed == ["1"]


def test_defaults_of_a_composed_function_are_evaluated_at_once() -> None:
    assert evaluate("f (a, b = Print (1)) = a + b\ng = f >> (x => x)").printed == ["1"]


def test_an_initializer_is_evaluated_for_each_element() -> None:
    outcome = evaluate(
        "f (n) = {W = ParameterTensor {n} ; apply (i) = W}.apply\nh = array [0..1] (f (3))\nz = h[0] + h[1]"
    )
    assert len(outcome.seeds) == 2


@pytest.mark.parametrize(("expression", "rule", "at"), [
    ("2 .* 3", "wrong-type", "2 .* 3"),
    ("1 + 'a'", "wrong-type", "1 + 'a'"),
    ("1 + true", "wrong-type", "1 + true"),
    ("true + true", "wrong-type", "true + true"),
    ("'a' * 'b'", "wrong-type", "'a' * 'b'"),
    ("1 == 1 == 1", "wrong-type", "1 == 1 == 1"),
    ("1 && 2", "wrong-type", "1 && 2"),
    ("(1:2) + 1", "wrong-type", "(1:2) + 1"),
    ("{} with {}", "wrong-type", "{} with {}"),
    ("1 << 2", "wrong-type", "1 << 2"),
    ("1 >> 2", "wrong-type", "1 >> 2"),
    ("!1", "wrong-type", "!1"),
    ("-'a'", "wrong-type", "-'a'"),
    ("if 1 then 2 else 3", "wrong-type", "1"),
    ("5 (3)", "wrong-type", "5"),
    ("5 [3]", "wrong-type", "5"),
    ("(5).x", "wrong-type", "(5)"),
    ("(1:2)[2]", "index-out-of-bounds", "2"),
    ("(1:2)[-1]", "index-out-of-bounds", "-1"),
    ("(1:2)[0.5]", "wrong-type", "0.5"),
    ("(1:2)['a']", "wrong-type", "'a'"),
    ("(1:2)[1 / 0]", "wrong-type", "1 / 0"),
    ("(1:2) << (1 / 0)", "wrong-type", "(1 / 0)"),
    ("(1:2) << -1", "wrong-value", "-1"),
    ("array [1..2] (i => i) << 1", "index-out-of-bounds", "array [1..2] (i => i)"),
    ("array [0..0.5] (i => i)", "wrong-type", "0.5"),
    ("array [0..0 / 0] (i => i)", "wrong-type", "0 / 0"),
    ("array [0..1] (1)", "wrong-type", "1"),
    ("array [0..1] (Min)", "wrong-type", "Min"),
    ("Length (5)", "wrong-type", "Length (5)"),
    ("Length (array [1..2] (i => i))", "index-out-of-bounds", "Length (array [1..2] (i => i))"),
    ("Mod (1, 0)", "wrong-value", "Mod (1, 0)"),
    ("IntDiv (0.5, 1)", "wrong-type", "IntDiv (0.5, 1)"),
    ("Mod ((1:2), 3)", "wrong-type", "Mod ((1:2), 3)"),
    ("Chr (1e12)", "wrong-value", "Chr (1e12)"),
    ("Chr (-1)", "wrong-value", "Chr (-1)"),
    ("Format (1, '%d')", "wrong-value", "'%d'"),
    ("Format (1, '.999999999999')", "wrong-value", "'.999999999999'"),
    ("Substr ('abc', 1 / 0, 1)", "wrong-type", "Substr ('abc', 1 / 0, 1)"),
    ("Replace (1, 'a', 'b')", "wrong-type", "Replace (1, 'a', 'b')"),
    ("Fail ('no')", "fail", "Fail ('no')"),
    ("{a = 1}.b", "unknown-identifier", "b"),
    ("new Foo {}", "unknown-type", "new Foo {}"),
    ("new ComputationNode 3", "wrong-type", "3"),
    ("new ComputationNode { operation = 'Foo' }", "unknown-operation", "new ComputationNode { operation = 'Foo' }"),
    ("new ComputationNode { }", "missing-argument", "new ComputationNode { }"),
])  # fmt: skip
@pytest.mark.parametrize("strict", [True, False])
def test_mistakes(expression: str, rule: str, at: str, strict: bool) -> None:
    assert evaluate(f"v = {expression}", strict=strict).said == [f"{rule}: {at}"]
