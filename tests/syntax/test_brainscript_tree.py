"""Trees of members: precedence, forms, spans, and what is said about text that does not parse."""

from __future__ import annotations

import pytest
from trees import everything, members, shape

from bsls.syntax import tree


def value(text: str) -> tree.Expr:
    found = members(text)
    assert found.problems == []
    assert len(found.names) == 1
    return found.member(next(iter(found.names))).value


@pytest.mark.parametrize(("text", "expected"), [
    ("1 + 2 * 3", "(+ 1 (* 2 3))"),
    ("-2 ** 2", "(** (- 2) 2)"),
    ("2 * 3 ** 2", "(** (* 2 3) 2)"),
    ("a / b .* c % d", "(% (.* (/ a b) c) d)"),
    ("a - b - c", "(- (- a b) c)"),
    ("a + b == c * d", "(== (+ a b) (* c d))"),
    ("a < b == c", "(== (< a b) c)"),
    ("a != b && c >= d || e <= f", "(|| (&& (!= a b) (>= c d)) (<= e f))"),
    ("a || b && c", "(|| a (&& b c))"),
    ("f >> g >> h", "(>> (>> f g) h)"),
    ("a << 1 + 2", "(<< a (+ 1 2))"),
    ("a > b", "(> a b)"),
    ("a || b >> c", "(>> (|| a b) c)"),
    ("!a == b", "(== (! a) b)"),
    ("- - a.b", "(- (- (. a b)))"),
    ("-f (x)", "(- (call f x))"),
    ("a with b + c", "(+ (with a b) c)"),
    ("a\n- b", "(- a b)"),
    ("f\n(x)", "(call f x)"),
    ("f\n{x = 1}", "(call f x=1)"),
    ("a : b + 1 : c", "(: a (+ b 1) c)"),
    ("(a : b) : c", "(: a b c)"),
    ("((a : b)) : c", "(: a b c)"),
    ("a : (b : c)", "(: a (: b c))"),
    ("a : b >> c", "(: a (>> b c))"),
    ("if a then b else c + 1", "(if a b (+ c 1))"),
    ("if a then b else c : d", "(if a b (: c d))"),
    ("1 + if a then b else c * 2", "(+ 1 (if a b (* c 2)))"),
    ("if a then if b then 1 else 2 else 3", "(if a (if b 1 2) 3)"),
    ("x => x + 1", "(fn [x] (+ x 1))"),
    ("i => j => i", "(fn [i] (fn [j] i))"),
    ("i => a : b", "(fn [i] (: a b))"),
    ("f (x => x, y)", "(call f (fn [x] x) y)"),
    ("f {a = 1, b}", "(call f a=1 b)"),
    ("f () {} (x)", "(call (call (call f)) x)"),
    ("f ({a = 1})", "(call f {a:1})"),
    ("{ a = 1 ; b = 2 }", "{a:1 b:2}"),
    ("[ a = 1 b = 2 ]", "{a:1 b:2}"),
    ("{ a = 1 }.a", "(. {a:1} a)"),
    ("{ f (x) = x ; g[i:0..1] = i }", "{f:(fn [x] x) g:(by 0 1 (fn [i] i))}"),
    ("{}", "{}"),
    ("[]", "{}"),
    ("[| |]", "(:)"),
    ("[| 1 |]", "(: 1)"),
    ("[| 1 ; 2 : 3 |]", "(: 1 (: 2 3))"),
    ("a[i + 1][j]", "(index (index a (+ i 1)) j)"),
    ("array [1 .. n] (f)", "(by 1 n f)"),
    ("array[1..2](i => i)", "(by 1 2 (fn [i] i))"),
    ("new T [ a = 1 ]", "(new T {a:1})"),
    ("new T r", "(new T r)"),
    ("new T { }.x", "(. (new T {}) x)"),
    ("newX + arrayOf + iffy + trueX + includes", "(+ (+ (+ (+ newX arrayOf) iffy) trueX) includes)"),
    ('2 "+" 3', "(+ 2 3)"),
    ("a '.*' 'b' \"<\" 'c'", "(< (.* a 'b') 'c')"),
    ("f ('+', \"*\")", "(call f '+' '*')"),
    ("('+') '||' a \">>\" b '&&' c '-' d", "(>> (|| '+' a) (&& b (- c d)))"),
    ("f ((')'))", "(call f ')')"),
    ("1..2", "broken: net.bs:1:6: '..' cannot stand here"),
])  # fmt: skip
def test_expression(text: str, expected: str) -> None:
    assert shape(value(f"z = {text}")) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("f (a, b = 1) = a", "(fn [a b=1] a)"),
    ("f {a} = a", "(fn [a] a)"),
    ("f () = 1", "(fn [] 1)"),
    ("x[i:1..n] = i", "(by 1 n (fn [i] i))"),
    ("f[i:0..1] (x) = x", "(by 0 1 (fn [i] (fn [x] x)))"),
])  # fmt: skip
def test_member(text: str, expected: str) -> None:
    assert shape(value(text)) == expected


@pytest.mark.parametrize(("text", "number"), [
    ("1", 1), ("1.5", 1.5), (".5", 0.5), ("2.", 2), ("1e3", 1000), ("1.5E-2", 0.015), ("0x1F", 31), ("1.e2", 100),
])  # fmt: skip
def test_number(text: str, number: float) -> None:
    assert shape(value(f"z = {text}")) == f"{number:g}"


@pytest.mark.parametrize(("text", "string"), [
    ("'a'", "a"), ('"a"', "a"), ("'a\"b'", 'a"b'), ("'a\nb'", "a\nb"), ("'a\\n'", "a\\n"), ("''", ""), ("'# //'", "# //"),
])  # fmt: skip
def test_string(text: str, string: str) -> None:
    found = value(f"z = {text}")
    assert isinstance(found, tree.String)
    assert found.value == string


def test_trailing_dot_belongs_to_the_number() -> None:
    assert shape(value("z = 2.*x")) == "(* 2 x)"
    assert shape(value("z = 2 .*x")) == "(.* 2 x)"


@pytest.mark.parametrize("text", [
    "z = Sigmoid (W * x + b)", "z = (a : (b)) : c", "f (a, b = (1)) = {c = a ; d = b}.c", "z = if (a) then (b) else -(c)",
    "h[i:1..3] = new T [ x = (h[i-1]) ]", "z = x => (x .* 2)", "z = [| a ; (b) |]",
])  # fmt: skip
def test_spans_are_the_text_of_the_parts(text: str) -> None:
    """Each part, parsed alone, is the same tree again."""
    for part in everything(value(text)):
        if not isinstance(part, (tree.Argument, tree.Parameter, tree.Member, tree.Function, tree.ArrayByIndex)):
            assert shape(value(f"_ = {part.span.text}")) == shape(part)


def test_spans_of_names_leave_out_parentheses() -> None:
    access = value("z = ( (a) . bc )")
    assert isinstance(access, tree.Access)
    assert isinstance(access.object, tree.Name)
    assert (access.id_span.text, access.object.id_span.text, access.object.span.text) == ("bc", "a", "(a)")
    member = members("  f (x) = 1").member("f")
    assert (member.name_span.text, member.span.text) == ("f", "f (x) = 1")


@pytest.mark.parametrize(("text", "problem"), [
    ("z = (1 + 2", "1:10: ')' expected before the end"),
    ("z = 1 +", "1:7: operand expected"),
    ("z =", "1:3: operand expected"),
    ("z = )", "1:5: operand expected before ')'"),
    ("z = f (x,)", "1:10: operand expected before ')'"),
    ("z = f (x,, y)", "1:10: operand expected before ','"),
    ("z = f (x y)", "1:10: ')' expected before 'y'"),
    ("z = (x, y) => x", "1:7: ')' expected before ','"),
    ("z = a[1", "1:7: ']' expected before the end"),
    ("z = [1]", "1:6: ']' expected before '1'"),
    ("z = [| 1 ]", "1:10: '|]' expected before ']'"),
    ("z = {a = 1 ;; b = 2}", "1:13: '}' expected before ';'"),
    ("z = {a = 1, b = 2}", "1:11: '}' expected before ','"),
    ("z = if a b else c", "1:10: 'then' expected before 'b'"),
    ("z = if a then b", "1:15: 'else' expected before the end"),
    ("z = a.1", "1:7: identifier expected before '1'"),
    ("z = a.b.", "1:8: identifier expected before the end"),
    ("z = new 1", "1:9: identifier expected before '1'"),
    ("z = new T", "1:9: operand expected"),
    ("z = a $ b", "1:7: unexpected character: $"),
    ("z = a & b", "1:7: unexpected character: &"),
    ("z = a ^ b", "1:7: unexpected character: ^"),
    ("z = Fä (x)", "1:6: unexpected character: ä"),
    ("z = f (')')", "1:8: a string ')' cannot stand directly behind the bracket"),
    ("z = f {'}'}", "1:8: a string '}' cannot stand"),
    ("z = [| '|]' |]", "1:8: a string '|]' cannot stand"),
    ("z = 'abc", "1:5: string without closing quotation mark"),
    ('z = "abc', "1:5: string without closing quotation mark"),
    ("z = a /* b", "1:7: comment without closing */"),
    ("z = /* b", "1:5: comment without closing */"),
    ("z = a 1", "1:7: '1' cannot stand here"),
    ("z = a b", "1:7: 'b' cannot stand here"),
    ("z = a, b", "1:6: ',' cannot stand here"),
    ("z = a)", "1:6: ')' cannot stand here"),
    ("z", "1:1: '=' expected before the end"),
    ("z.a = 1", "1:2: '=' expected before '.'"),
    ("z[1] = 1", "1:3: identifier expected before '1'"),
    ("z[i:1] = 1", "1:6: '..' expected before ']'"),
    ("f (1) = 1", "1:4: ')' expected before '1'"),
    ("f (a = 1) => a", "1:12: operand expected before '>'"),
    ("z = include x", "1:5: 'include' must be followed by a quoted string"),
])  # fmt: skip
def test_what_is_wrong(text: str, problem: str) -> None:
    found = value(text)
    assert isinstance(found, tree.Broken)
    assert str(found.finding).startswith(f"net.bs:{problem}")


@pytest.mark.parametrize(("text", "help", "mended"), [
    ("z = f (n -> n)", "a function is written x => ...", "z = f (n => n)"),
    ("z = (8, 8, 1)", "separated by ':'", "z = (8: 8, 1)"),
    ("z = (3;3)", "separated by ':'", "z = (3:3)"),
    ("z = (a b)", "the ':' between elements", "z = (a : b)"),
    ("z = ((x, s) => x)", "has one parameter", None),
    ("z = array[0:3] (f)", "array[0..n]", None),
    ("z = [a : b]", "an array is written (a : b)", None),
    ("z = f (x y)", "a comma is missing", "z = f (x, y)"),
    ('z = f {a = "b"  c = 1}', "a comma is missing", 'z = f {a = "b",  c = 1}'),
    ("z = f (x; y)", "arguments are separated by commas", "z = f (x, y)"),
    ("z = f (x,, y)", "a value, a name", "z = f (x, y)"),
    ("z = {a = 1 ;; b = 2}", "one ';'", "z = {a = 1 ; b = 2}"),
    ("z = {a = 1, b = 2}", "separated by the end of the line", "z = {a = 1; b = 2}"),
    ("z = a,", "separated by the end of the line", "z = a;"),
    ("z = [| 1, 2 |]", "separated by ';'", "z = [| 1; 2 |]"),
    ("z = if a = 1 then b else c", "asked by ==", "z = if a == 1 then b else c"),
    ("z = if (a = 1) then b else c", "asked by ==", "z = if (a == 1) then b else c"),
    ("z = (if a then b)", "a then and an else", None),
    ("z = a ^ 2", "**", "z = a ** 2"),
    ("z = a & b", "&&", "z = a && b"),
    ("z = Print (“x)", "straight quotation marks", 'z = Print ("x)'),
    ("z = Length dims", "arguments stand in ( )", None),
])  # fmt: skip
def test_what_to_do(text: str, help: str, mended: str | None) -> None:
    found = value(text)
    assert isinstance(found, tree.Broken)
    assert help in found.finding.help
    edits = [e for fix in found.finding.fixes for e in fix.edits]
    for edit in edits:
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert (text if edits else None) == mended


def test_a_string_as_operator_is_a_warning() -> None:
    (problem,) = tree.problems(value('z = f (2 "+" 3)'))
    assert (problem.severity.word, str(problem.span)) == ("warning", "net.bs:1:8")


@pytest.mark.parametrize("text", ["then = 1", "z = a.if", "f (new) = 1", "z = with", "z = {array = 1}"])
def test_reserved_words_are_no_names(text: str) -> None:
    found = value(text)
    assert isinstance(found, tree.Broken)
    assert "is a reserved word" in found.finding.help


@pytest.mark.parametrize(("text", "columns"), [
    ("z = {a = 1 ; b = 2 ; a = 3}", [22]),
    ("f (x) = {a = {b = 1 ; b = 2}}", [23]),
    ("z = f (a = 1, b, a = 2)", [18]),
    ("f (a = 1, a = 2) = {b = g {c = 1, c = 2}}", [11, 35]),
    ("f (a, a = 1) = g (a, a)", []),
])  # fmt: skip
def test_given_twice(text: str, columns: list[int]) -> None:
    problems = list(tree.problems(value(text)))
    assert [p.span.start + 1 for p in problems if p.span] == columns
    assert all(p.message.startswith("duplicate") for p in problems)
