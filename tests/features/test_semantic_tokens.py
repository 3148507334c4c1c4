"""What words are: each as `word:type`, with the first letters of the modifiers behind."""

from __future__ import annotations

import pytest

from bsls.features.semantic_tokens import MODIFIERS, TYPES, Token, semantic_tokens
from features.editing import network, opened


def shown(tokens: list[Token]) -> str:
    return " ".join(
        f"{t.span.text}:{t.type}" + (f"/{''.join(sorted(m[0] for m in t.modifiers))}" if t.modifiers else "")
        for t in tokens
    )


IN_NETWORKS = {
    "x = Input {3}": "x:variable/d Input:function/d 3:number",
    "a = 3 ; b = a": "a:variable/dr 3:number b:variable/dr a:variable/r",
    "f (p, o = 1) = p + o": "f:function/d p:parameter/d o:parameter/d 1:number p:parameter o:parameter",
    "f (p) = p ; g = f ; z = g (1)": "f:function/d p:parameter/d p:parameter g:function/d f:function z:variable/dr g:function 1:number",
    "L = { y = Constant (1) } ; z = L.y": "L:variable/d y:variable/d Constant:function/d 1:number z:variable/d L:variable y:property",
    "n = BS.Network.Load ('m') ; z = n.a_b": "n:variable/d BS:namespace/d Network:namespace/d Load:function/d 'm':string z:variable/d n:variable a_b:property",
    "z = if true then 1 else None": "z:variable/dr if:keyword true:keyword then:keyword 1:number else:keyword None:variable/dr",
    "z = new ComputationNode [ operation = 'Tanh' ]": "z:variable/d new:keyword ComputationNode:type operation:variable/dr 'Tanh':string",
    "z = DenseLayer {3, init = 'a'} // comment": "z:function/d DenseLayer:function/d 3:number init:parameter 'a':string",
    "z = (Tanh + # 3": "z:variable/d Tanh:variable",
    "z = precision /* 1 */": "z:variable/dr precision:variable/dr",
    "s = 'a$b$c'": "s:variable/dr 'a:string $b$:macro c':string",
    "s = 'a\n  c'": "s:variable/dr 'a:string c':string",
    "z = 1e-3 + .5 * 0x1F": "z:variable/dr 1e-3:number .5:number 0x1F:number",
}


@pytest.mark.parametrize("text", IN_NETWORKS)
def test_in_a_network(text: str) -> None:
    document = opened(network(text))
    start = document.source.text.index(text)
    found = [t for t in semantic_tokens(document) if start <= t.span.start < start + len(text)]
    assert shown(found) == IN_NETWORKS[text]


IN_CONFIGS = {
    "command = A:B\nA = { action = \"test\" }\nB = 3": "command:property A:class B:class A:class/d action:property \"test\":string B:property 3:number",
    "rates = 0.02*3:0.01": "rates:property 0.02:number 3:number 0.01:number",
    "x = $y$/1.txt": "x:property $y$:macro",
    'x = "$y$/1.txt"': 'x:property ":string $y$:macro /1.txt":string',
    "evalNodeNames = a:b": "evalNodeNames:property a:variable b:variable",
    "r = ([ a = 1 ] : [ b = true ])": "r:property a:property 1:number b:property true:keyword",
    "S = { T = { dim = 3 } } # 4": "S:namespace T:namespace dim:property 3:number",
    "a = 1 ; keep ; b = -1": "a:property 1:number keep:property b:property 1:number",
}  # fmt: skip


@pytest.mark.parametrize("text", IN_CONFIGS)
def test_in_a_config(text: str) -> None:
    assert shown(semantic_tokens(opened(text))) == IN_CONFIGS[text]


def test_a_library_file() -> None:
    assert shown(semantic_tokens(opened("F (x) = x\n", name="a.bs"))) == "F:function/d x:parameter/d x:parameter"


def test_the_legend_is_complete() -> None:
    text = network("\n".join(IN_NETWORKS)) + "\n".join(IN_CONFIGS)
    for token in semantic_tokens(opened(text)):
        assert token.type in TYPES
        assert token.modifiers <= set(MODIFIERS)


def test_nothing_in_ndl() -> None:
    assert semantic_tokens(opened("DNN = [\n    L1 = Sigmoid (x)\n]", name="x.ndl")) == []
