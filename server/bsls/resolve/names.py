"""What to say about a name that is not known, and which one was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from bsls.finding import BsError, Edit, Fix
from bsls.network.naming import find_by_access, is_written_for_brackets
from bsls.network.network import Network
from bsls.source import Span


def similar(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was most likely meant: the same but for capitals, else one that is spelt much alike."""
    names = list(dict.fromkeys(candidates))
    for candidate in names:
        if candidate.lower() == name.lower() and candidate != name:
            return candidate
    close = get_close_matches(name, names, 1, 0.75)
    return close[0] if close else next((c for c in names if _is_twisted(name, c)), None)


def _is_twisted(name: str, candidate: str) -> bool:
    """Whether two neighbouring letters were typed in the wrong order, which weighs much in a short name."""
    apart = [i for i, (a, b) in enumerate(zip(name, candidate, strict=False)) if a != b]
    if len(name) != len(candidate) or len(name) < 3 or len(apart) != 2:
        return False
    i, j = apart
    return j == i + 1 and name[i] == candidate[j] and name[j] == candidate[i]


def similar_node(name: str, network: Network) -> str | None:
    """The name of the node that was most likely meant, which may have been written as in BrainScript: L4_y for L4.y."""
    found = find_by_access(network, name)
    found = found or next((n for n in network.by_name() if is_written_for_brackets(name, n)), None)
    return found.name if found is not None else similar(name, (n.name for n in network.by_name()))


def unknown_identifier(name: str, span: Span, candidates: Iterable[str], where: str = "") -> BsError:
    """The error for a name that is defined nowhere; `candidates` are the names that could be used there."""
    meant = "BS.Network.CloneFunction" if name == "CloneFunction" else similar(name, candidates)
    fixes = [Fix(f"change to {meant}", (Edit(span, meant),), safe=True)] if meant else []
    help = f"did you mean '{meant}'?" if meant else ""
    if name == "CloneFunction":
        help = "the function is called BS.Network.CloneFunction; it stands under no shorter name"
    return BsError("unknown-identifier", f"unknown identifier '{name}'{where}", span, help=help, fixes=fixes)
