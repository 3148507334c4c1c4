"""What to say about a name that is not known, and which one was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from bsls.finding import BsError, Edit, Fix
from bsls.source import Span


def similar(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was most likely meant: the same but for capitals, else one that is spelt much alike."""
    names = list(dict.fromkeys(candidates))
    for candidate in names:
        if candidate.lower() == name.lower() and candidate != name:
            return candidate
    close = get_close_matches(name, names, 1, 0.75)
    return close[0] if close else None


def unknown_identifier(name: str, span: Span, candidates: Iterable[str], where: str = "") -> BsError:
    """The error for a name that is defined nowhere; `candidates` are the names that could be used there."""
    meant = "BS.Network.CloneFunction" if name == "CloneFunction" else similar(name, candidates)
    fixes = [Fix(f"change to {meant}", (Edit(span, meant),), safe=True)] if meant else []
    help = f"did you mean '{meant}'?" if meant else ""
    if name == "CloneFunction":
        help = "the function is called BS.Network.CloneFunction; it stands under no shorter name"
    return BsError("unknown-identifier", f"unknown identifier '{name}'{where}", span, help=help, fixes=fixes)
