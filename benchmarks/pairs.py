"""Two things measured in turns, A B A B ..., so that a machine that changes its speed does so for both."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

Measure = Callable[[], float]


def in_turns(a: Measure, b: Measure, rounds: int) -> tuple[list[float], list[float]]:
    """The figures of both over `rounds` rounds, after one that does not count."""
    a()
    b()
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        found[0].append(a())
        found[1].append(b())
    return found


def show(what: str, name_a: str, a: list[float], name_b: str, b: list[float]) -> None:
    """Medians, spread, difference and the ratio pair by pair."""
    ratios = [x / y for x, y in zip(a, b, strict=True)]
    differences = [x - y for x, y in zip(a, b, strict=True)]
    print(what)
    for name, values in ((name_a, a), (name_b, b)):
        print(f"  {name:28} {median(values):8.4f} s  ({min(values):.4f} to {max(values):.4f})")
    print(f"  {'difference':28} {median(differences):8.4f} s")
    print(f"  {'ratio':28} {median(ratios):8.2f}    ({min(ratios):.2f} to {max(ratios):.2f})")
