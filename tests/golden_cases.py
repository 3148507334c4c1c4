"""Golden cases: small configs with what CNTK 2.7 really did with them (tests/golden/cases), and how to compare.

`case.json` has the steps (arguments of a run), whether it must succeed, files to compare and the tolerance; `expected/`
holds the reference's log without times, the text files and the models that it wrote.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parent / "golden" / "cases"
_FIGURES = re.compile(r"^ ?(Starting Epoch|Minibatch\[|Epoch\[|Finished Epoch|Final Results)")
_UNTIMED = re.compile(r"; (time|epochTime|samplesPerSecond) ?= ?[^;\s]+")
_COMMAND = re.compile(r"^# (\S+) command \((\S+) action\)")


@dataclass
class Case:
    folder: Path

    def __post_init__(self) -> None:
        self.spec = json.loads((self.folder / "case.json").read_text())
        self.log = (self.folder / "expected" / "log.txt").read_text(errors="replace")
        self.steps = [step["command"] for step in self.spec["steps"]]
        self.tolerance = self.spec.get("tolerance", {}).get("figures", 1e-4)

    def stage(self, work: Path, models: bool) -> None:
        """A copy to work in; with the reference's models if `models`."""
        shutil.copytree(self.folder, work, ignore=shutil.ignore_patterns("expected", "case.json"), dirs_exist_ok=True)
        for part in ("given", *(["models"] if models else [])):
            if (self.folder / "expected" / part).is_dir():
                shutil.copytree(self.folder / "expected" / part, work, dirs_exist_ok=True)


def all_cases() -> list[str]:
    return sorted(p.parent.relative_to(CASES).as_posix() for p in CASES.glob("*/*/case.json"))


def figures(log: str) -> list[list[str]]:
    """The lines with figures as words, without times."""
    return [
        re.split(r"[\s;*,:=\[\]-]+", _UNTIMED.sub("", line).strip())
        for line in log.splitlines()
        if _FIGURES.match(line)
    ]


def networks(log: str) -> dict[str, dict[str, str]]:
    """For each command the last `Validating` line of each node; numbers of dynamic axes do not matter."""
    found: dict[str, dict[str, str]] = {}
    command = ""
    for line in log.splitlines():
        if m := _COMMAND.match(line):
            command = m.group(1)
        elif "Validating --> " in line:
            prototype = re.sub(r"\*\d+", "*", line.partition("Validating --> ")[2].rstrip())
            found.setdefault(command, {})[prototype.partition(" = ")[0]] = re.sub(r"\s+", " ", prototype)
    return found


def same_number(ours: float, theirs: float, relative: float, unit: float) -> bool:
    if math.isnan(ours) or math.isnan(theirs):
        return math.isnan(ours) and math.isnan(theirs)
    return ours == theirs or abs(ours - theirs) <= unit or abs(ours - theirs) <= relative * (abs(theirs) + 1e-2)


def difference(ours: list[str], theirs: list[str], relative: float) -> str:
    """The first word that differs by more than a rounding in its last printed digit, or ''."""
    if len(ours) != len(theirs):
        return f"{len(ours)} words, reference {len(theirs)}"
    for a, b in zip(ours, theirs, strict=True):
        if a == b:
            continue
        try:
            x, y = float(a.rstrip("%")), float(b.rstrip("%"))
        except ValueError:
            return f"'{a}', reference '{b}'"
        mantissa, _, exponent = b.rstrip("%").lower().partition("e")
        unit = 1.01 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
        if a.endswith("%") != b.endswith("%") or not same_number(x, y, relative, unit):
            return f"{a}, reference {b}"
    return ""


_BEGIN, _END = "BMAT\0".encode("utf-16-le"), "EMAT\0".encode("utf-16-le")


def matrices(data: bytes) -> tuple[list[bytes], list[list[float]]]:
    """A model file or checkpoint as the bytes outside of its matrices and the matrices' values."""
    outside: list[bytes] = []
    found: list[list[float]] = []
    at = 0
    while (begin := data.find(_BEGIN, at)) >= 0:
        (size,) = struct.unpack_from("<Q", data, begin + len(_BEGIN))
        head = data.index(b"\0\0", begin + len(_BEGIN) + 8)
        while (head - begin) % 2:
            head = data.index(b"\0\0", head + 1)
        _, rows, columns = struct.unpack_from("<iQQ", data, head + 2)
        values = head + 2 + 20
        at = values + size * rows * columns
        outside.append(data[begin:values])
        found.append(list(struct.unpack_from(f"<{rows * columns}{'d' if size == 8 else 'f'}", data, values)))
        assert data[at : at + len(_END)] == _END
    return [*outside, data[at:]], found


def model_difference(ours: Path, theirs: Path, relative: float) -> str:
    (a_bytes, a), (b_bytes, b) = matrices(ours.read_bytes()), matrices(theirs.read_bytes())
    if [len(m) for m in a] != [len(m) for m in b]:
        return "other matrices"
    if not theirs.name.endswith(".ckp") and a_bytes != b_bytes:
        return "other bytes outside of the matrices"
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        for p, q in zip(x, y, strict=True):
            if not same_number(p, q, relative, 1.01e-6):
                return f"matrix {i}: {p}, reference {q}"
    return ""
