"""The rooms of the house import each other in one order only, and some of them do without certain things at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SERVER, RUNTIME = ROOT / "server" / "bsls", ROOT / "runtime" / "bstorch"

# A room may import those of earlier lines. Rooms of one line do not know each other.
ORDER = [
    {"source"},
    {"finding", "shape"},
    {"syntax"},
    {"schema"},
    {"network"},
    {"modelfile"},
    {"config"},
    {"library"},
    {"resolve"},
    {"evaluate"},
    {"project"},
    {"check", "features"},
    {"workspace"},
    {"lsp", "cli"},
    {"__main__"},
]
ALSO = {("cli", "lsp")}  # `bsls lsp` starts the server
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
NOT_FOR_RUNTIME = {"check", "features", "workspace", "lsp", "cli", "__main__"}


def room_of(path: Path, base: Path) -> str:
    return path.relative_to(base).parts[0].removesuffix(".py")


def modules(base: Path) -> Iterator[Path]:
    return (path for path in sorted(base.rglob("*.py")) if path != base / "__init__.py")


def imports(path: Path, top: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, anywhere in it, and the line; relative imports in full."""
    package = ["", *path.relative_to(top).with_suffix("").parts][1:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield module, node.lineno
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def broken(base: Path) -> list[str]:
    """The rules that files below `base` break, as `file:line: …`."""
    found = set()
    for path in modules(base):
        room = room_of(path, base)
        for module, line in imports(path, base.parent):
            parts = module.split(".")
            complaint = ""
            if base == SERVER and parts[0] in {"torch", "bstorch"}:
                complaint = f"bsls imports {parts[0]}"
            elif parts[0] == "bsls" and len(parts) > 1 and parts[1] in RANK:
                other = parts[1]
                if base == RUNTIME and other in NOT_FOR_RUNTIME:
                    complaint = f"the runtime imports bsls.{other}"
                elif base == SERVER and other != room and (room, other) not in ALSO and RANK[other] >= RANK[room]:
                    complaint = f"{room} imports {other}, which stands above or beside it"
            if complaint:
                found.add(f"{path.relative_to(ROOT)}:{line}: {complaint}")
    return sorted(found)


def test_every_room_has_a_place_in_the_order() -> None:
    rooms = {room_of(path, SERVER) for path in modules(SERVER)}
    assert rooms <= RANK.keys()


@pytest.mark.parametrize("base", [SERVER, RUNTIME], ids=lambda base: base.name)
def test_imports_go_down_the_order(base: Path) -> None:
    assert broken(base) == []


def test_rules_and_features_touch_no_files() -> None:
    """Text and models reach them through `project`."""
    found = []
    for room in ("check/rules", "features"):
        for path in sorted((SERVER / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
                if not isinstance(node, ast.Call):
                    continue
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in {"open", "read_text", "read_bytes", "write_text", "write_bytes"}:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {name}")
    assert found == []


def test_a_broken_rule_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, runtime = tmp_path / "server" / "bsls", tmp_path / "runtime" / "bstorch"
    for name, value in (("ROOT", tmp_path), ("SERVER", server), ("RUNTIME", runtime)):
        monkeypatch.setitem(globals(), name, value)
    files = {
        server / "syntax" / "a.py": "from ..evaluate import brainscript\nfrom bsls import source\n",
        server / "check" / "b.py": "def f():\n    import bsls.features.hover\n",
        server / "config" / "c.py": "import torch.nn\n",
        server / "cli" / "d.py": "import bsls.lsp.server\nfrom bsls.check import registry\n",
        runtime / "e.py": "from bsls import network, check\n",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert broken(server) == [
        "server/bsls/check/b.py:2: check imports features, which stands above or beside it",
        "server/bsls/config/c.py:1: bsls imports torch",
        "server/bsls/syntax/a.py:1: syntax imports evaluate, which stands above or beside it",
    ]
    assert broken(runtime) == ["runtime/bstorch/e.py:1: the runtime imports bsls.check"]
