"""What to say about a name that is not known, and which one was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from bsls.finding import BsError, Edit, Fix
from bsls.network.naming import is_written_for_brackets, written_alike
from bsls.network.network import Network
from bsls.source import Span


def similar(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was most likely meant: the same but for capitals, else one that is spelt much alike."""
    names = list(dict.fromkeys(candidates))
    for candidate in names:
        if candidate.lower() == name.lower() and candidate != name:
            return candidate
    lower = {candidate.lower(): candidate for candidate in names}
    close = get_close_matches(name, names, 1, 0.75)
    close = close or [lower[c] for c in get_close_matches(name.lower(), lower, 1, 0.75)]
    return close[0] if close else next((c for c in names if _is_twisted(name, c)), None)


def _is_twisted(name: str, candidate: str) -> bool:
    """Whether two neighbouring letters were typed in the wrong order, which weighs much in a short name."""
    apart = [i for i, (a, b) in enumerate(zip(name, candidate, strict=False)) if a != b]
    if len(name) != len(candidate) or len(name) < 3 or len(apart) != 2:
        return False
    i, j = apart
    return j == i + 1 and name[i] == candidate[j] and name[j] == candidate[i]


def similar_nodes(name: str, network: Network) -> list[str]:
    """The name of the node that was most likely meant, which may have been written as in BrainScript: L4_y for L4.y.

    Several where they are written alike there; none where nothing is much like it.
    """
    if name in network:
        return [network[name].name]
    nodes = network.by_name()
    alike = written_alike(network, name) or [n for n in nodes if n.name.replace(".", "_").lower() == name.lower()]
    alike = alike or [n for n in nodes if is_written_for_brackets(name, n)]
    if alike:
        return [n.name for n in alike]
    meant = similar(name, (n.name for n in nodes))
    return [meant] if meant is not None else []


def node_help(name: str, network: Network, span: Span, prefix: str = "") -> tuple[str, list[Fix]]:
    """What to say about a name that no node has, and the changes of it at `span`; both empty if nothing is much like it.

    `prefix` is what stands before the name and is kept.
    """
    meant = similar_nodes(name, network)
    fixes = [Fix(f"change to {prefix}{n}", (Edit(span, prefix + n),)) for n in meant]
    return f"did you mean {' or '.join(repr(n) for n in meant)}?" if meant else "", fixes


def unknown_identifier(name: str, span: Span, candidates: Iterable[str], where: str = "") -> BsError:
    """The error for a name that is defined nowhere; `candidates` are the names that could be used there."""
    meant = "BS.Network.CloneFunction" if name == "CloneFunction" else similar(name, candidates)
    fixes = [Fix(f"change to {meant}", (Edit(span, meant),), safe=True)] if meant else []
    help = f"did you mean '{meant}'?" if meant else ""
    if name == "CloneFunction":
        help = "the function is called BS.Network.CloneFunction; it stands under no shorter name"
    return BsError("unknown-identifier", f"unknown identifier '{name}'{where}", span, help=help, fixes=fixes)
