"""`writeWordAndClass`: counts the words of a text and divides them into classes, for models of languages.

With f the square root of a word's frequency, the words, most frequent first, fill one class after the other until each
has its share of the sum of all f. Of equally frequent words the one that comes first in the order of their bytes is
first (in CNTK it depends on the library that it was built with).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from bsls.config.actions import WordClasses, word_classes
from bsls.config.commands import Command
from bsls.config.section import Value
from bsls.finding import BsError
from bsls.modelfile.atomic import make_folder
from bstorch.actions.common import writing
from bstorch.context import RunContext


@dataclass(slots=True)
class _Word:
    text: str
    count: int
    word_class: int = 0


def run(command: Command, context: RunContext) -> None:
    """Writes the vocabulary and, with `nbrClass`, which class a word has and at which word a class begins."""
    settings = word_classes(command.section)
    for title, value in (
        ("Mapping file       ", settings.mapping),
        ("Vocabulary file    ", settings.vocabulary),
        ("Word-to-class map  ", settings.class_of_word),
        ("Class-to-index map ", settings.first_of_class),
    ):
        if value is not None:
            context.say(f"{title}--> {value.text}")
    context.say()
    made = [v for v in (settings.vocabulary, settings.class_of_word, settings.first_of_class) if v is not None]
    if command.section.get_boolean("makeMode", True) and all(_is_newer(v.text, settings.text.text) for v in made):
        context.say("All output files up to date.")
        return
    counts = _counted(settings, context)
    context.say(f"Vocabulary size {len(counts)}.")
    size = _size(settings, counts, context)
    if settings.classes:
        words = _in_classes(_kept(counts, size, settings.unknown), settings.classes)
    else:
        words = [_Word(w, counts[w]) for w in sorted(counts, key=_bytes)]
    _write(settings, words, size, len(counts), context)


def _is_newer(path: str, source: str) -> bool:
    if not os.path.exists(path):
        return False
    return not os.path.exists(source) or os.path.getmtime(path) >= os.path.getmtime(source)


def _bytes(word: str) -> bytes:
    return word.encode("utf-8", "surrogateescape")


def _counted(settings: WordClasses, context: RunContext) -> Counter[str]:
    """How often each word comes. Where sentences begin and end with the same word, it counts at their ends."""
    begin, end = settings.begin, settings.end
    counts: Counter[str] = Counter()
    try:
        with open(settings.text.text, encoding="utf-8", errors="surrogateescape") as file:
            context.say(f"Reading input file inputFile: {settings.text.text}")
            for line in file:
                line = line.rstrip("\r\n").strip(" ")
                line = line if f"{begin} " in line else f"{begin} {line}"
                line = line if f" {end}" in line else f"{line} {end}"
                words = [w for w in line.replace("\t", " ").split(" ") if w]
                counts.update(words[1:] if begin == end else words)
    except OSError as error:
        raise settings.text.error(f"cannot be read: {error.strerror}", "correct the path") from error
    return counts


def _size(settings: WordClasses, counts: Counter[str], context: RunContext) -> int:
    """The size of the vocabulary: as wanted, or all words that are frequent enough."""
    cutoff = settings.cutoff
    frequent = sum(1 for c in counts.values() if c > cutoff) if cutoff > 0 else len(counts)
    if frequent == 0:
        raise BsError(
            "data", f"no word of '{settings.text.text}' comes more than {cutoff} times", settings.text.span,
            help="use a smaller cutoff, or more text",
        )  # fmt: skip
    if settings.size <= frequent:
        return settings.size
    context.say("Warning: actual vocabulary size is less than required.")
    context.say(f"\t\tRequired vocabulary size:{settings.size}")
    context.say(f"\t\tActual vocabulary size:{len(counts)}")
    context.say(f"\t\tActual vocabulary size after cutoff:{frequent}")
    context.say(f"\t\tWe will change to actual vocabulary size: {frequent}")
    return frequent


def _by_frequency(counts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(counts, key=lambda item: (-item[1], _bytes(item[0])))


def _kept(counts: Counter[str], size: int, unknown: str) -> list[tuple[str, int]]:
    """The `size` - 1 most frequent words, and the unknown word, which stands for all others; the most frequent first."""
    known = [item for item in _by_frequency(counts.items()) if item[0] != unknown]
    rest = counts.total() - sum(c for _, c in known[: size - 1])
    return _by_frequency([*known[: size - 1], (unknown, rest)])


def _in_classes(counts: Sequence[tuple[str, int]], classes: int) -> list[_Word]:
    total = float(sum(c for _, c in counts))
    whole = sum(sqrt(c / total) for _, c in counts)
    reached, current = 0.0, 0
    words: list[_Word] = []
    for text, count in counts:
        reached = min(reached + sqrt(count / total) / whole, 1.0)
        if reached > 1.0 * (current + 1) / classes:
            current += 1
        words.append(_Word(text, count, current))
    return words


def _write(settings: WordClasses, words: list[_Word], size: int, seen: int, context: RunContext) -> None:
    if settings.mapping is not None:
        _write_lines(settings.mapping, (w.text for w in words))
        context.say(f"Created label-mapping file with {seen} entries.")
    rows = (f"     {i}\t     {w.count:g}\t{w.text}\t{w.word_class}" for i, w in enumerate(words))
    _write_lines(settings.vocabulary, rows)
    context.say(f"Created vocabulary file with {seen} entries.")
    if settings.class_of_word is not None and settings.first_of_class is not None:
        _write_lines(settings.class_of_word, (str(w.word_class) for w in words))
        context.say(f"Created word-to-class map with {size} entries.")
        first = [0] * settings.classes
        for i, word in reversed(list(enumerate(words))):
            first[word.word_class] = i
        _write_lines(settings.first_of_class, map(str, first))
        context.say(f"Created class-to-index map with {settings.classes} entries.")


def _write_lines(where: Value, lines: Iterable[str]) -> None:
    with writing(where.text, where.span):
        make_folder(os.path.dirname(where.text))
        with open(where.text, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(f"{line}\n" for line in lines)
