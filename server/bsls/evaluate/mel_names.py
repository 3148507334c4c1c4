"""Names of nodes in scripts of the model editing language: which model and which nodes they mean, or were to mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bsls.evaluate.ndl import ScriptEvaluator
from bsls.evaluate.values import UnknownValue
from bsls.finding import BsError, Edit, Fix
from bsls.network.editing import matching
from bsls.network.network import Network
from bsls.resolve.names import node_help, similar
from bsls.source import ExpandedText, Span


@dataclass(slots=True)
class Edited:
    """A model under its name in the script. `network` is None where nothing is known of it."""

    network: Network | None
    complete: bool = True
    path: str = ""
    """Of the file that it was loaded from."""
    name: str = ""
    lines: ScriptEvaluator | None = None
    """NDL that was added by lines of the script."""


_MAX_SHOWN = 8

Models = Mapping[str, Edited]
"""By name, in lower case."""


@dataclass(slots=True)
class Named:
    """What the name of nodes means: the model, and the pattern without its prefix."""

    model: Edited
    network: Network
    pattern: str
    text: ExpandedText

    @property
    def span(self) -> Span:
        return self.text.span()

    def halves(self) -> tuple[str, str | None]:
        """What is before and behind the `*`; None without one."""
        head, star, tail = self.pattern.partition("*")
        return head, tail if star else None


def cut(name: str) -> int:
    """Where a name of nodes goes on behind its first part, which may be the name of a model."""
    return min((i for i in (name.find("."), name.find("*")) if i >= 0), default=len(name))


def parts(name: str, models: Iterable[str]) -> tuple[str | None, str]:
    """The model (in lower case) that a name of nodes begins with, if it is one of `models`, and the pattern behind it;
    a model alone stands for all of its nodes."""
    end = cut(name)
    model = name[:end].lower()
    return (model, name[end + 1 :] or "*") if model in models else (None, name)


def no_node(named: Named, models: Models, default: Edited | None) -> BsError:
    """The error for a name that means no node."""
    if not named.model.complete:
        return UnknownValue(named.span)
    network, pattern, span = named.network, named.pattern, named.span
    prefix = named.text.text[: len(named.text) - len(pattern)]
    if "*" in pattern:
        what, meant = f"the model has no nodes '{pattern}'", _similar_pattern(named)
        help, fixes = _change(span, prefix + meant) if meant else ("", [])
        facts = "capitals matter in names with a `*`, and only the first `*` stands for any text"
    else:
        what = f"the model has no node '{pattern}'"
        help, fixes = node_help(pattern, network, span, prefix)
        longer = [n.name for n in network.by_name() if n.name.lower().startswith(pattern.lower())]
        facts = f"nodes: {', '.join(longer[:_MAX_SHOWN])}" if longer else "names of nodes are those that the log prints"
    if not fixes and (whole := _in_another_model(named, models, default)):
        help, fixes = _change(span, whole)
    return BsError("model-node", what, span, help=help or facts, fixes=fixes)


def _change(span: Span, meant: str) -> tuple[str, list[Fix]]:
    return f"did you mean '{meant}'?", [Fix(f"change to {meant}", (Edit(span, meant),))]


def _similar_pattern(named: Named) -> str | None:
    """A pattern much like the one that was written, for which there are nodes."""
    head, tail = named.halves()
    tail = (tail or "").rpartition("*")[2]
    nodes = [n.name for n in named.network.by_name()]
    parts = dict.fromkeys(n[: i + 1] for n in nodes for i, sign in enumerate(n) if sign in ".[")
    ends = dict.fromkeys(n[i:] for n in nodes for i, sign in enumerate(n) if sign in ".]")
    heads = [head, *(h for h in parts if _as_written(h) == _as_written(head)), *_one(similar(head, parts))]
    tails = [tail, *(t for t in ends if _as_written(t) == _as_written(tail)), *_one(similar(tail, ends))]
    found = (f"{h}*{t}" for h in heads for t in tails)
    return next((p for p in found if p not in (named.pattern, "*") and matching(named.network, p)), None)


def _as_written(part: str) -> str:
    """A part of a name as BrainScript has it, without capitals."""
    return part.replace(".", "_").lower()


def _one(name: str | None) -> list[str]:
    return [] if name is None else [name]


def _in_another_model(named: Named, models: Models, default: Edited | None) -> str | None:
    """The whole name in the model that was probably meant: `m1.W` for `m.W`, or `m.h.W` for the `h.W` of the default
    model where `h` is a model as well."""
    name = named.text.text
    end = cut(name)
    other = default.network if default is not None and named.model is not default else None
    if default is not None and other is not None and matching(other, name):
        return f"{default.name}.{name}"
    rest = name[end + 1 :]
    having = [m for m in models.values() if rest.strip("*") and m.network is not None and matching(m.network, rest)]
    if name[:end].lower() in models or not having:
        return None
    likely = default if default in having else having[0] if len(having) == 1 else None
    model = similar(name[:end], (m.name for m in having)) or (likely.name if likely is not None else None)
    return f"{model}.{rest}" if model else None
