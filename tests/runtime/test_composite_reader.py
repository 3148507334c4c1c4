"""The composite reader on text files: joining by key, shuffling, truncated minibatches, bad settings."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from bsls.config.assemble import parse_config
from bsls.finding import BsError
from bstorch.readers.base import Minibatch, Reader, SparseBatch
from bstorch.readers.open import open_reader
from bstorch.readers.timeline import Shuffling, Timeline
from bstorch.readers.truncation import pieces

BLOCK = '[ type = "CNTKTextFormatDeserializer" ; module = "CNTKTextFormatReader" ; file = "{}" ; input = [ {} ] ]'
X = BLOCK.format("x.txt", "x = [ dim = 1 ; format = dense ]")
Y = BLOCK.format("y.txt", "y = [ dim = 3 ; format = sparse ]")


def reader(*settings: str, blocks: tuple[str, ...] = (X,), **options: bool) -> Reader:
    text = f"reader = [ deserializers = ({' : '.join(blocks)}) ; {' ; '.join(settings)} ]"
    section = parse_config(text).own_section("reader")
    assert section is not None
    return open_reader(section, log=lambda line: None, **options)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def numbered(folder: Path, lengths: list[int]) -> None:
    """Sequence i of x holds i.0, i.1, ... as 10 i, 10 i + 1, ..."""
    lines = [f"{i} |x {10 * i + t}" for i, n in enumerate(lengths) for t in range(n)]
    (folder / "x.txt").write_text("\n".join(lines) + "\n")


def matrix(minibatch: Minibatch, name: str = "x") -> list[list[float]]:
    """The rows of the minibatch's matrix; -1 in gaps."""
    layout, value = minibatch.layouts[name], minibatch.values[name]
    value = value.dense() if isinstance(value, SparseBatch) else value
    found = np.full(layout.matrix_columns, -1.0)
    found[layout.columns.numpy()] = value[:, 0].numpy()
    return found.reshape(layout.width, layout.rows).T.tolist()


def test_streams_are_joined_by_key_in_the_order_of_the_first_file(folder):
    (folder / "x.txt").write_text("4 |x 40\n4 |x 41\n2 |x 20\n7 |x 70\n9 |x 90\n9 |x 91\n")
    (folder / "y.txt").write_text("9 |y 2:1\n2 |y 0:1\n1 |y 0:1\n4 |y 1:1\n")
    (minibatch,) = reader("randomize = false", blocks=(X, Y)).minibatches(0, None, 100)
    assert minibatch.keys == [4, 2, 9]
    assert minibatch.samples == 5  # the longest stream counts
    assert matrix(minibatch) == [[40, 41], [20, -1], [90, 91]]
    y = minibatch.values["y"]
    assert isinstance(y, SparseBatch)
    assert y.indices.tolist() == [1, 0, 2]


def test_the_stream_that_defines_the_size_counts(folder):
    (folder / "x.txt").write_text("1 |x 1\n1 |x 2\n1 |x 3\n2 |x 4\n2 |x 5\n")
    (folder / "y.txt").write_text("1 |y 0:1\n2 |y 0:1\n")
    defining = Y.replace("format = sparse", "format = sparse ; definesMBSize = true")
    found = list(reader("randomize = false", blocks=(X, defining)).minibatches(0, None, 2))
    assert [m.samples for m in found] == [2]


@pytest.mark.parametrize(
    ("settings", "shuffling"),
    [
        ((), Shuffling(128)),
        (("randomizationSeed = 3",), Shuffling(128, seed=3)),
        (("randomizationWindow = 6",), Shuffling(6, in_samples=True)),
        (("randomizationWindow = 2", "sampleBasedRandomizationWindow = false"), Shuffling(2)),
    ],
)
def test_order_is_that_of_the_timeline(folder, settings, shuffling):
    numbered(folder, [2, 1, 3, 2, 2, 1, 4, 1, 2, 3])
    size = ("chunkSizeInBytes = 33",)  # a few sequences a chunk
    settings += size if shuffling.window == 2 or shuffling.in_samples else ()
    found = reader(*settings)
    keys = [k for m in found.minibatches(1, None, 5) for k in m.keys]
    index = found._parts[0].index  # type: ignore[attr-defined]
    timeline = Timeline(index.samples, index.chunks, shuffling)
    assert keys == list(chain.from_iterable(s.tolist() for s in timeline.minibatches(1, None, 5)))


def test_rows_are_filled_in_turn_and_cut(folder):
    numbered(folder, [5, 2, 3, 1, 6])
    found = list(reader("randomize = false", "truncated = true", "truncationLength = 3").minibatches(0, None, 7))
    # Two rows. The first takes sequence 0, the second 1 and 2; then the first, which would have 3 samples with
    # sequence 3, takes 4 as well, and nothing is left for the second.
    assert [matrix(m) for m in found] == [
        [[0, 1, 2], [10, 11, 20]],
        [[3, 4, 30], [21, 22, -1]],
        [[40, 41, 42], [-1, -1, -1]],
        [[43, 44, 45], [-1, -1, -1]],
    ]
    assert [m.samples for m in found] == [6, 5, 3, 3]
    assert [m.keys for m in found] == [[0, 1, 2], [0, 3, 2], [4], [4]]
    assert [m.first_sequence for m in found] == [0, 3, 4, 5]
    assert found[1].layout.begin.tolist() == [-3, 2, -1]
    assert found[1].layout.goes_on


def test_pieces_hold_every_sample_once():
    lengths = np.random.default_rng(1).integers(1, 12, 200)
    seen = np.zeros(int(lengths.sum()), int)
    first = np.cumsum(lengths) - lengths
    for sequences, layout in pieces(iter(range(200)), lengths, 4, 5):
        at = first[sequences] - np.minimum(layout.begin, 0)
        seen[at[layout.frame_sequence] + layout.frame_time] += 1
        assert (layout.length == lengths[sequences]).all()
    assert (seen == 1).all()


def test_sparse_streams_are_cut_too(folder):
    numbered(folder, [3, 2])
    (folder / "y.txt").write_text("0 |y 0:1\n0 |y 1:1\n0 |y 2:1\n1 |y 0:2\n1 |y 1:2\n")
    settings = ("randomize = false", "truncated = true", "truncationLength = 2")
    first, second, *_ = reader(*settings, blocks=(X, Y)).minibatches(0, None, 2)
    assert first.values["y"].indices.tolist() == [0, 1]  # type: ignore[union-attr]
    assert second.values["y"].indices.tolist() == [2, 0]  # type: ignore[union-attr]


def test_write_neither_cuts_nor_shuffles(folder):
    numbered(folder, [3, 2])
    found = reader("truncated = true", "truncationLength = 2", randomize=False, whole_sequences=True)
    assert [m.keys for m in found.minibatches(0, None, 100)] == [[0, 1]]


def test_chunks_of_all_files_are_kept_as_long_as_the_window_needs_them(folder):
    numbered(folder, [1] * 300)
    (folder / "y.txt").write_text("\n".join(f"{i} |y {i % 3}:1" for i in reversed(range(300))) + "\n")
    found = reader("chunkSizeInBytes = 20", blocks=(X, Y))
    keys = [k for m in found.minibatches(0, None, 7) for k in m.keys]
    assert sorted(keys) == list(range(300))
    for part in found._parts:  # type: ignore[attr-defined]
        assert part.kept_chunks > 32


@pytest.mark.parametrize(
    ("settings", "blocks", "rule", "message"),
    [
        (("frameMode = true", "truncated = true", "truncationLength = 2"), (X,), "conflicting-keys", "exclude"),
        (("truncated = true",), (X,), "missing-key", "truncationLength"),
        (("truncated = true", "truncationLength = 0"), (X,), "config-value", "at least 1 step"),
        (("rightSplice = 1",), (X,), "config-value", "rightSplice"),
        (("rightSplice = 3", "truncated = true", "truncationLength = 2"), (X,), "config-value", "more than truncationLength"),
        (("sampleBasedRandomizationWindow = true",), (X,), "missing-key", "size of the window"),
        (("randomize = auto",), (X,), "config-value", "true or false"),
        ((), (X, X), "config-value", "two deserializers deliver"),
        ((), ("[ file = a ; module = b ]",), "missing-key", "type"),
        ((), (), "missing-key", "no deserializers"),
        ((), (X.replace('"x.txt"', '"none.txt"'),), "missing-file", "none.txt"),
        (("truncated = true", "truncationLength = 2"), (X, Y), "sequence-lengths", "1 samples in sequence 0"),
        ((), (X, Y.replace('"y.txt"', '"z.txt"')), "data-file", "same key"),
        (("frameMode = true",), (X,), "frame-mode", "x.txt:1"),
        (
            (),
            tuple(b.replace("format", "definesMBSize = true ; format") for b in (X, Y)),
            "config-value",
            "both have definesMBSize",
        ),
    ],
)  # fmt: skip
def test_what_does_not_do(folder, settings, blocks, rule, message):
    numbered(folder, [2, 2])
    (folder / "y.txt").write_text("0 |y 0:1\n1 |y 0:1\n")
    (folder / "z.txt").write_text("5 |y 0:1\n")
    with pytest.raises(BsError) as caught:
        found = reader(*settings, blocks=blocks)
        found.open()
        list(found.minibatches(0, None, 4))
    assert caught.value.finding.rule == rule
    assert message in str(caught.value)
    assert caught.value.finding.span is not None
