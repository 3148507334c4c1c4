"""The configs that CNTK itself came with (version 2.7): every text is read without loss, and what its own end-to-end
tests run has no mistake in its syntax.

    python tests/public_configs.py FOLDER     prints the numbers, and each exception

FOLDER is a checkout of CNTK 2.7, of which nothing is kept here; `make test-all` reads it where BSLS_CNTK names it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from bsls.check.rule import Context
from bsls.check.run import check_brainscript, is_brainscript, quick_findings
from bsls.finding import BsError, Finding, Severity
from bsls.project.files import Files
from bsls.project.project import BRAINSCRIPT, Project
from bsls.source import Source
from bsls.syntax.brainscript import tokens
from bsls.syntax.outer import blank_comments
from bsls.syntax.raw import leaves, raw_tree

SUFFIXES = {".cntk", ".bs", ".ndl", ".mel"}
SYNTAX = {"syntax", "include", "nesting-limit", "cyclic-variable"}
"""Rules of findings about the text itself."""

_RUN = re.compile(r"^=== Running (?P<words>.* configFile=.*)$", re.MULTILINE)
_PATH = re.compile(r"(?P<key>\w+)=.*?(?P<path>(?<=/)(?:Tests/EndToEndTests|Examples)/.*)")
_ELSEWHERE = re.compile(r"currentDirectory=|stderr=")


def texts(folder: Path) -> list[Path]:
    """All files of the languages, but those with labels (`*.mlf.cntk`)."""
    found = (p for p in folder.rglob("*") if p.suffix in SUFFIXES and p.is_file())
    return sorted(p for p in found if not p.name.endswith(".mlf.cntk"))


def what_is_lost(path: Path) -> str:
    """What the trees of a text do not give back; empty where they give back everything."""
    try:
        source = Files().source(str(path))
    except BsError as error:
        return error.finding.message
    if "".join(piece.text for piece in leaves(raw_tree(source))) != source.text:
        return "the raw tree is not the text"
    descriptions = [i.value.text for i in raw_tree(source).walk() if i.language == "brainscript"]
    for text in descriptions if path.suffix != ".bs" else [source.text]:
        at = 0
        for word in tokens(text, comments=True):
            if text[at : word.start()].strip(" \t\r\n\f"):
                return f"{text[at : word.start()]!r} is no word"
            at = word.end()
        if text[at:].strip(" \t\r\n\f"):
            return f"{text[at:]!r} is no word"
    return ""


def runs(folder: Path) -> tuple[dict[tuple[str, ...], str], set[str]]:
    """The arguments of the runs that the logs of the end-to-end tests tell of, each with one of these logs; and the
    configs of other runs, which are not there."""
    found: dict[tuple[str, ...], str] = {}
    absent: set[str] = set()
    for log, arguments, _ in logged_runs(folder):
        missing = {p for a in arguments for p in _configs(a) if not os.path.exists(p)}
        absent |= missing
        if not missing:
            found.setdefault(arguments, log)
    return found, absent


def logged_runs(folder: Path) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Each run in the logs of the end-to-end tests: the log, the arguments with paths in this checkout, and the text."""
    by_name: dict[str, list[Path]] = {}
    for path in texts(folder):
        by_name.setdefault(path.name, []).append(path)
    for log in sorted((folder / "Tests" / "EndToEndTests").rglob("baseline*.txt")):
        text = log.read_text(encoding="utf-8", errors="replace")
        found = list(_RUN.finditer(text))
        for m, end in zip(found, [*(f.start() for f in found[1:]), len(text)], strict=False):
            words = m["words"].strip().replace("\\", "/").split(" ")
            first = next(i for i, word in enumerate(words) if word.startswith("configFile="))
            arguments = [_here(word, folder) for word in words[first:] if _ELSEWHERE.match(word) is None]
            yield str(log.relative_to(folder)), _as_it_is_now(arguments, log, by_name), text[m.end() : end]


def _here(word: str, folder: Path) -> str:
    """An argument of another machine, with its paths in this checkout."""
    m = _PATH.fullmatch(word)
    return f"{m['key']}={os.path.normpath(folder / m['path'])}" if m else word


def _as_it_is_now(arguments: list[str], log: Path, by_name: dict[str, list[Path]]) -> tuple[str, ...]:
    """Arguments with the present places of configs that were moved or renamed after the log was written."""
    moved: dict[str, str] = {}
    for path in _configs(arguments[0]):
        name = os.path.basename(path)
        names = [name, *(name.replace(".cntk", end) for end in ("_ndl_deprecated.cntk", "_BS.cntk"))]
        found = [p for n in names for p in by_name.get(n, ())]
        if found and not os.path.exists(path):
            moved[path] = max(map(str, found), key=lambda p: (Path(p).parent == log.parent, _common_folders(p, path)))
    for old, new in list(moved.items()):
        moved[os.path.dirname(old)] = os.path.dirname(new)
    return tuple(
        key + "=" + "+".join(moved.get(p, p) for p in value.split("+"))
        for key, _, value in (a.partition("=") for a in arguments)
    )


def _common_folders(path: str, other: str) -> int:
    return len(Path(os.path.commonpath((path, os.path.abspath(other)))).parts)


def _configs(argument: str) -> list[str]:
    key, _, value = argument.partition("=")
    return value.split("+") if key == "configFile" else []


def mistakes(arguments: list[str]) -> list[Finding]:
    """What is wrong with the syntax of a config and of the networks in it."""
    try:
        context = Context(Project(arguments, tolerant=True))
    except BsError as error:
        return [error.finding]
    found = quick_findings(context)
    for command in context.commands:
        value = command.builder()
        if value is not None and value.key.lower() in BRAINSCRIPT:
            try:
                context.project.members(command)
            except BsError as error:
                found.append(error.finding)
    return [f for f in found if f.severity == Severity.ERROR and f.rule in SYNTAX | {"missing-file"}]


def report(folder: Path) -> Iterator[str]:
    """The numbers, and each exception."""
    files = texts(folder)
    lost = {p: what for p in files if (what := what_is_lost(p))}
    yield f"{len(files)} texts, {len(files) - len(lost)} given back exactly"
    yield from (f"  {p.relative_to(folder)}: {what}" for p, what in lost.items())
    sources = [p for p in files if p.suffix == ".bs" and is_brainscript(Files().source(str(p)))]
    broken = {p: f for p in sources if (f := _of_brainscript(p))}
    yield f"{len(sources)} files of BrainScript, {len(sources) - len(broken)} without a mistake"
    yield from (f"  {finding}" for found in broken.values() for finding in found)
    configs: set[str] = set()
    wrong: dict[str, str] = {}
    done, absent = runs(folder)
    for arguments, log in done.items():
        configs.update(path for argument in arguments for path in _configs(argument))
        for finding in mistakes(list(arguments)):
            wrong.setdefault(str(finding), log)
    yield f"{len(configs)} configs in {len(done)} runs of end-to-end tests, {len(wrong)} mistakes"
    yield from (f"  {finding} [{log}]" for finding, log in wrong.items())
    yield f"{len(absent)} configs of other runs that are not there"
    yield from (f"  {path}" for path in sorted(absent))


def _of_brainscript(path: Path) -> list[Finding]:
    try:
        return check_brainscript(
            Source(str(path), blank_comments(path.read_text(errors="replace"))), Files(), str(path)
        )
    except BsError as error:
        return [error.finding]


if __name__ == "__main__":
    for line in report(Path(sys.argv[1])):
        print(line)
