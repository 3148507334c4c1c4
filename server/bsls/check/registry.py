"""All rules. A rule is a module in `rules` that defines `RULE`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from bsls.check import rules
from bsls.check.rule import Rule


@cache
def all_rules() -> dict[str, Rule]:
    """Every rule by name, in the order of the codes."""
    found = [import_module(f"bsls.check.rules.{m.name}").RULE for m in iter_modules(rules.__path__)]
    return {r.name: r for r in sorted(found, key=lambda r: r.code)}


def find(name: str) -> Rule | None:
    """The rule with this name or code."""
    return next((r for r in all_rules().values() if name.lower() in (r.name, r.code.lower())), None)
