"""What `bsls format` changes: texts and what becomes of them. What is not in `CASES` with another text stays as it is."""

from __future__ import annotations

import pytest
from layout import formatted

from bsls.finding import BsError
from bsls.syntax.format import Style

CONFIG = {
    "indentation": ("A = [\nb = [\n\tc=1\n]\n  ]\n", "A = [\n    b = [\n        c = 1\n    ]\n]\n"),
    "two brackets in a line are one level": (
        "d = ({\n  a = 1\n} : {\n      a = 2\n})\n",
        "d = ({\n    a = 1\n} : {\n    a = 2\n})\n",
    ),
    "blanks around signs": ("a=1;b = [c=2;d=3,e=4]\n", "a = 1; b = [c = 2; d = 3, e = 4]\n"),
    "empty lines and the end": ("\n\na = 1  \n\n\n\n\nb = 2", "a = 1\n\n\nb = 2\n"),
    "aligned signs grow together": ("ab  = 1\nabcd=2\nc   = 3\n", "ab   = 1\nabcd = 2\nc    = 3\n"),
    "a lonely wide gap": ("a     = 1\nabc = 2\n", "a = 1\nabc = 2\n"),
    "aligned comments stay": ("a=1       # one\nbb = 22   # two\n", "a = 1     # one\nbb = 22   # two\n"),
    "a comment goes on": (
        "A = [\n  a=1   # one\n        # more\n]\n",
        "A = [\n    a = 1   # one\n            # more\n]\n",
    ),
    "macros of NDL": ("M(a,b)=[\n x = Plus(a,b)\n]\n", "M(a,b) = [\n    x = Plus(a,b)\n]\n"),
    "a network": (
        "A = [\n BrainScriptNetworkBuilder = {\n x=Input{2}\n ; y = x+ 1 }\n]\n",
        "A = [\n    BrainScriptNetworkBuilder = {\n        x = Input{2}\n        ; y = x + 1 }\n]\n",
    ),
    "as it is: content": ("a = b   c,  d:  e\nf = \"x  =1\n  [\"\ng = .*(W|b )( c)\n", None),
    "as it is: no comment": ("a = c#1    #text\nb = \"a\",#x\nc =# d\n", None),
    "as it is: files to include": ("include=a,b\nA = [\ninclude=x = y+z\n  include=w\n]\n", None),
    "as it is: what cannot be read": ("[\n a =1\n ]\nb=\n", None),
    "as it is: a broken member": ("N = {\n    BrainScriptNetworkBuilder = {\n  a=(1 +)\n      +  2\n        b = 2\n    }\n}\n", None),
    "as it is: a sign that separates": ("a = (;b; c)\nd = ( ;e)\n", None),
}  # fmt: skip

NETWORK = {
    "operators": ("a=b+c*-d .* ( e -f )/2", "a = b + c * -d .* (e - f) / 2"),
    "an index keeps its style": ("a = x[n-1] : y[ n -1 ]", "a = x[n-1] : y[ n - 1 ]"),
    "arguments keep theirs": ("a = f (x,axis=-1, y= 2 ) : {b=2}", "a = f (x, axis=-1, y = 2) : {b = 2}"),
    "dimensions": ("a = (3: 3) : (b :c) : (d:e)", "a = (3:3) : (b : c) : (d:e)"),
    "functions": ("f(x) = (y=>y+x)", "f(x) = (y => y + x)"),
    "keywords": ("a = if(b)then(c)else-d", "a = if (b) then (c) else -d"),
    "numbers with a dot": ("a = 2.*x : b . c : array[1 .. 2] (f)", "a = 2. * x : b . c : array[1 .. 2] (f)"),
    "two operators stay apart": ("a = b - -c : d .* .5 : e - + f", "a = b - -c : d .* .5 : e - +f"),
    "variables": ("a = $x$*2 + L$n$.y :'$p$  q'", "a = $x$ * 2 + L$n$.y : '$p$  q'"),
    "separators": ("a = 1 ;b=2;c=[|1;2|]", "a = 1 ; b = 2; c = [|1; 2|]"),
    "under a bracket": ("a=f(x,\n    y)", "a = f(x,\n      y)"),
    "under a keyword": ("a=if b\n  then c\n  else d", "a = if b\n    then c\n    else d"),
    "a line goes on": ("  a =\n      b +\n      c", "a =\n    b +\n    c"),
    "arguments in lines of their own": (
        "m = Sequential(\n  A :\n  B {1,\n     2}\n  )",
        "m = Sequential(\n    A :\n    B {1,\n       2}\n)",
    ),
    "else after a record": (
        "a = if b then {\n  c = 1\n}\nelse {\n  c = 2\n}.c",
        "a = if b then {\n    c = 1\n}\nelse {\n    c = 2\n}.c",
    ),
    "a table": ("a  = f (x,   1, 22)\nbb = g (yy, 10,  3)", "a  = f (x,   1, 22)\nbb = g (yy, 10,  3)"),
    "a block comment": ("a = 1 /* x\n   y */ + 2\n/*\n b\n*/", "a = 1 /* x\n   y */ + 2\n/*\n b\n*/"),
    "an included file": ('include  "a b.bs"\nx=1', 'include "a b.bs"\nx = 1'),
    "one member is broken": ("a=1\nb=(c +) +1\nd=2", "a = 1\nb=(c +) +1\nd = 2"),
    "a description in brackets": ("{\na=1\n}", "{\n    a = 1\n}"),
    "a comment without a blank": ("a = 1#b\nc = 2 //d", "a = 1#b\nc = 2 //d"),
    "a comment above": ("f (x) = {\n# about a\na = x\n  # at the end\n}", "f (x) = {\n    # about a\n    a = x\n    # at the end\n}"),
}  # fmt: skip

NDL = {
    "calls": ("x=Plus ( a,b,tag =c )\n", "x = Plus (a, b, tag =c)\n"),
    "a macro below its name": ("M(a)\n{\nx=a\n}\n", "M(a)\n{\n    x = a\n}\n"),
    "MEL": ('m1=LoadModel( "a b.dnn",format="cntk")\nSetInput(a.*,1 , b)\n', 'm1 = LoadModel("a b.dnn", format="cntk")\nSetInput(a.*, 1, b)\n'),
    "as it is: a sign that separates": ("SetProperty(*,output,true)\n", None),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIG)
def test_config(name: str) -> None:
    _check("config", *CONFIG[name])


@pytest.mark.parametrize("name", NDL)
def test_ndl_and_mel(name: str) -> None:
    _check("ndl", *NDL[name])


@pytest.mark.parametrize("name", NETWORK)
def test_brainscript(name: str) -> None:
    before, after = NETWORK[name]
    _check("brainscript", before + "\n", after + "\n")


def _check(language, before: str, after: str | None) -> None:
    expected = before if after is None else after
    assert formatted(before, language) == expected
    assert formatted(expected, language) == expected


def test_tabs_and_other_widths() -> None:
    text = "A = [\n    b = f\n    c = [\n        d = 1 ]\n]\n"
    assert formatted(text, "config", Style(2)) == "A = [\n  b = f\n  c = [\n    d = 1 ]\n]\n"
    assert formatted(text, "config", Style(4, tabs=True)) == text.replace("    ", "\t")


@pytest.mark.parametrize("text", ["", "\n", "  \n\n"])
def test_nothing_to_lay_out(text: str) -> None:
    assert formatted(text, "config") == text or formatted(text, "config") == ""


def test_brackets_that_do_not_match() -> None:
    with pytest.raises(BsError, match="no closing ] found") as raised:
        formatted("A = [\nb=1\n", "config")
    assert raised.value.finding.span is not None and str(raised.value.finding.span) == "x:1:5"
