"""The CNTK text format reader: values, sequences, settings, and what it says about bad data and bad settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bsls.config.assemble import parse_config
from bsls.finding import BsError
from bsls.network.node import Node
from bsls.shape import DynamicAxis, Shape
from bstorch.readers import text_format
from bstorch.readers.base import Minibatch, SparseBatch, check_streams
from bstorch.readers.text_format import TextFormatReader, from_section

GOLDEN = Path(__file__).parent.parent / "golden" / "readers"
X3_Y1 = 'input = { x = { dim = 3 ; format = "dense" } ; y = { dim = 1 ; format = "dense" } }'


def make(
    file: Path | str, rest: str = X3_Y1, randomize: bool | None = None, log: list[str] | None = None, top: str = ""
) -> TextFormatReader:
    config = parse_config(f'{top}\nreader = {{\nfile = "{file}"\n{rest}\n}}\n')
    section = config.own_section("reader")
    assert section is not None
    return from_section(section, randomize, (log if log is not None else []).append)


def text(tmp_path: Path, content: str | bytes) -> Path:
    file = tmp_path / "data.txt"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def in_reading_order(batch: Minibatch, name: str) -> torch.Tensor:
    values = batch.values[name]
    return (values.dense() if isinstance(values, SparseBatch) else values)[batch.layouts[name].by_sequence]


def read(reader: TextFormatReader, name: str, size: int = 100) -> list[list[float]]:
    """All samples of a stream in the order read."""
    return torch.cat([in_reading_order(m, name) for m in reader.minibatches(0, None, size)]).tolist()


def lengths(reader: TextFormatReader) -> list[int]:
    return [n for m in reader.minibatches(0, None, 1000) for n in m.layout.lengths.tolist()]


@pytest.mark.parametrize(
    ("case", "settings"),
    [
        ("ctf-dense", X3_Y1),
        ("ctf-repeated-id", X3_Y1),
        ("ctf-skip-ids", f"skipSequenceIds = true\n{X3_Y1}"),
        ("ctf-sparse", 'input = { w = { dim = 6 ; format = "sparse" } ; l = { dim = 3 ; format = "Sparse" } }'),
    ],
)
def test_reads_what_the_reference_reads(case: str, settings: str) -> None:
    reader = make(GOLDEN / case / "data.txt", settings, randomize=False)
    for stream in reader.streams:
        lines = [
            line
            for line in (GOLDEN / case / f"read.{stream.name}Out").read_text().splitlines()
            if not line.startswith("<")
        ]
        assert np.array(read(reader, stream.name)) == pytest.approx(
            np.array([[float(w) for w in line.split()] for line in lines]), abs=6e-7
        )


def test_sequences_by_id(tmp_path: Path) -> None:
    file = text(tmp_path, "7|x 1 |y 1\n7 |x 2 |y 2\n  |x 3 |y 3\n|x 4|y 4\n8\t|x 5 |y 5\n7 |x 6 |y 6\n")
    reader = make(file, X3_Y1, randomize=False)
    (batch,) = reader.minibatches(0, None, 100)
    assert batch.layout.lengths.tolist() == [4, 1, 1]
    assert batch.layouts["x"] is batch.layouts["y"]
    assert batch.keys == [7, 8, 7]
    assert batch.samples == 6
    assert in_reading_order(batch, "y").flatten().tolist() == [1, 2, 3, 4, 5, 6]


def test_minibatches_of_sequences(tmp_path: Path) -> None:
    file = text(tmp_path, "".join(f"{i} |x {i}{t} |y 0\n" for i, n in enumerate([3, 2, 4, 1, 5]) for t in range(n)))
    reader = make(file, randomize=False)
    assert [m.samples for m in reader.minibatches(0, None, 5)] == [5, 5, 5]
    assert [m.samples for m in reader.minibatches(0, None, 1)] == [3, 2, 4, 1, 5]
    assert [m.first_sequence for m in reader.minibatches(0, None, 5)] == [0, 2, 4]
    # An epoch of 4 samples: what begins at 0 to 3, 4 to 7, 8 to 11, 12 to 15 of the timeline.
    assert [[m.samples for m in reader.minibatches(e, 4, 4)] for e in range(4)] == [[3, 2], [4], [1, 5], [3]]


def test_lines_odd_but_right(tmp_path: Path) -> None:
    file = text(
        tmp_path,
        b"\xef\xbb\xbf \r\n|x 1 2 3|y\t4 \r\n|# note |y 5 |unknown a b|# more |# yet |x +1 0. 3e2 |x1 9\r\n|y 007|x -0 1E-1 1.5e+1",
    )
    assert read(make(file), "x") != []
    reader = make(file, randomize=False)
    assert np.array(read(reader, "x")) == pytest.approx(np.array([[1, 2, 3], [1, 0, 300], [0, 0.1, 15]]), rel=1e-6)
    assert read(reader, "y") == [[4], [5], [7]]


def test_short_dense_samples_are_filled(tmp_path: Path) -> None:
    log: list[str] = []
    file = text(tmp_path, "|x 1 2 3 |y 1\n|x 1 |y\n|y 2 |x 4 5\n")
    reader = make(file, randomize=False, log=log)
    assert read(reader, "x") == [[1, 2, 3], [1, 0, 0], [4, 5, 0]]
    assert log == [
        f"WARNING: {file}:2: a sample of 'x' has only 1 of 3 values, the rest is taken to be 0, and 1 more such samples follow",
        f"WARNING: {file}:2: a sample of 'y' has only 0 of 1 values, the rest is taken to be 0",
    ]
    assert read(make(file, f"traceLevel = 0\n{X3_Y1}", log=log), "x") and len(log) == 2


def test_sparse_samples(tmp_path: Path) -> None:
    file = text(tmp_path, "|s 5:1 0:2.5 |y 1\n|y 2 |s\n|s 3:1 3:2 1:7 3:-4 |y 3\n")
    reader = make(
        file, 'input = { s = { dim = 6 ; format = "sparse" } ; y = { dim = 1 ; format = "dense" } }', randomize=False
    )
    assert read(reader, "s") == [[2.5, 0, 0, 0, 0, 1], [0] * 6, [0, 7, 0, -4, 0, 0]]
    (batch,) = reader.minibatches(0, None, 9)
    sparse = batch.values["s"]
    assert isinstance(sparse, SparseBatch) and sparse.samples == 3
    assert sparse.offsets.tolist() == [0, 2, 2, 4]
    assert sparse.sample_of_value().tolist() == [0, 0, 2, 2]


@pytest.mark.parametrize(
    ("second", "one_hot"), [("3:1", True), ("3:2", False), ("3:1 4:1", False), ("3:1 3:-1", False), ("", False)]
)
def test_labels_are_known_as_such(tmp_path: Path, second: str, one_hot: bool) -> None:
    reader = make(text(tmp_path, f"|s 5:1\n|s {second}\n"), 'input = { s = { dim = 6 ; format = "sparse" } }')
    (batch,) = reader.minibatches(0, None, 9)
    labels = batch.values["s"]
    assert isinstance(labels, SparseBatch)
    assert labels.one_hot == labels.to("cpu").one_hot == one_hot


def test_alias_and_main_stream(tmp_path: Path) -> None:
    file = text(tmp_path, "0 |f 1 |q 9\n0 |f 2\n1 |q 8 |other 1\n2 |f 3 |q 7\n2 |# f\n2|fx 1|f\t4\n")
    settings = 'maxErrors = 9 ; input = { x = { alias = "f" ; dim = 1 ; format = "dense" ; definesMBSize = true } ; y = { alias = "q" ; dim = 1 ; format = "dense" } }'
    reader = make(file, settings, randomize=False)
    (batch,) = reader.minibatches(0, None, 9)
    assert batch.keys == [0, 2]
    assert batch.layouts["x"].lengths.tolist() == [2, 2]
    assert batch.layouts["y"].lengths.tolist() == [1, 1]
    assert batch.layouts["x"] is not batch.layouts["y"]
    assert in_reading_order(batch, "x").flatten().tolist() == [1, 2, 3, 4]
    assert batch.samples == 4


def test_double_precision(tmp_path: Path) -> None:
    file = text(tmp_path, "|x 0.1 123456789012.345 1e-3 |y 3.14159265358979\n")
    reader = make(file, top='precision = "double"')
    assert read(reader, "x") == [[0.1, 123456789012.345, 0.001]]
    assert read(reader, "y") == [[3 + 14159265358979 / 1e14]]
    assert next(reader.minibatches(0, None, 1)).values["x"].dtype == torch.float64
    assert next(make(file).minibatches(0, None, 1)).values["x"].dtype == torch.float32


@pytest.mark.parametrize("order", ["randomize = false", "randomize = NONE", "randomizationWindow = 0"])
def test_chunks_do_not_show(tmp_path: Path, order: str) -> None:
    file = text(tmp_path, "".join(f"{i} |x {i} {t} |s {t}:{i}\n" for i in range(40) for t in range(1 + i % 3)))
    streams = 'input = { x = { dim = 2 ; format = "dense" } ; s = { dim = 3 ; format = "sparse" } }'
    whole = make(file, f"{order}\n{streams}")
    small = make(file, f"{order}\nchunkSizeInBytes = 60\n{streams}")
    for a, b in zip(whole.minibatches(0, None, 17), small.minibatches(0, None, 17), strict=True):
        assert a.layout.same_as(b.layout) and a.keys == b.keys
        assert torch.equal(in_reading_order(a, "x"), in_reading_order(b, "x"))
        assert torch.equal(in_reading_order(a, "s"), in_reading_order(b, "s"))


@pytest.mark.parametrize("piece", [1, 60, 1 << 20])
def test_data_kept_in_memory_are_the_same(tmp_path: Path, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_format, "_PIECE_BYTES", piece)
    lines = [f"{i // 3}|x {i} {i / 2}|w {i % 4}:{i}" + (f" {i % 3 + 4}:1" if i % 2 else "") for i in range(1, 30)]
    file = text(tmp_path, "\n".join(lines) + "\n")
    streams = 'input = { x = { dim = 2 ; format = "dense" } ; w = { dim = 8 ; format = "sparse" } }'
    kept, plain = (
        make(file, f"randomize = true\nchunkSizeInBytes = 60\nkeepDataInMemory = {k}\n{streams}")
        for k in ("true", "false")
    )
    for epoch in range(2):
        for a, b in zip(kept.minibatches(epoch, None, 7), plain.minibatches(epoch, None, 7), strict=True):
            for name in ("x", "w"):
                assert torch.equal(in_reading_order(a, name), in_reading_order(b, name))


def test_any_epoch_can_come_first(tmp_path: Path) -> None:
    file = text(tmp_path, "".join(f"|x {i} |y {i}\n" for i in range(30)))
    settings = f"chunkSizeInBytes = 50 ; randomizationWindow = 3\n{X3_Y1}"
    reader = make(file, settings)
    epochs = [[m.keys for m in reader.minibatches(e, 13, 4)] for e in range(5)]
    assert [m.keys for m in make(file, settings).minibatches(3, 13, 4)] == epochs[3]
    first_sweep = [key for epoch in epochs for keys in epoch for key in keys][:30]
    assert sorted(first_sweep) == list(range(30)) and first_sweep != list(range(30))


def test_frame_mode(tmp_path: Path) -> None:
    file = text(tmp_path, "1 |x 1 |y 1\n2 |x 1 |y 1\n2 |x 1 |y 1\n")
    with pytest.raises(
        BsError, match=r"data.txt:2: sequence 2 has 2 samples of 'x', but with frameMode = true"
    ) as caught:
        read(make(file, f"frameMode = true\n{X3_Y1}"), "x")
    assert caught.value.finding.span is not None and caught.value.finding.span.text == "true"
    assert lengths(make(file, f"frameMode = true ; skipSequenceIds = true\n{X3_Y1}")) == [1, 1, 1]


BAD_DATA = [
    ("|x 1 2 a3 |y 1\n", "1: 'a3' is not a number (stream 'x')"),
    ("|x 1 2 3 |y 1\n|x 1 2 .5 |y 1\n", "2: '.5' is not a number (stream 'x')"),
    ("|x 1 2 3 |y 1\n|x 1 2 1.e5 |y 1\n", "2: 'e5' is not a number (stream 'x')"),
    ("|x 1 2 3 |y 1 2\n", "1: 2 values for 'y', whose dim is 1"),
    ("|x 1 2 3 |y 1e\n", "1: '1e' has no digits in its exponent (stream 'y')"),
    ("|x 1 2 3\n", "1: the line has no sample of 'y'"),
    ("1 |x 1 2 3\n1 |x 2\n2 |y 1 |x 1\n", "1: sequence 1 has no sample of 'y'"),
    ("1 |x 1 2 3 | 5 |y 1\n", "1: a '|' is not followed by a name"),
    ("1 |x 1 2 3 |y 1\n1 x |y 1\n", "2: 'x' stands where '|NAME' is expected"),
    ("|x 1 2 3 |y 1\n\n|x 1 2 3 |y 1\n", "2: the line is empty"),
    ("1 |x 1 2 3 |y 1\n1 |# nothing\n", "2: the line has no sample of any stream"),
    ("1 |x 1 2 3 |y 1 |x 1 2 3\n", "1: sequence 1 has more samples (2) than lines (1)"),
    ("1 |x 1 2 3 |y 1\n1 |z 1 |x 1\n1 |y 1\n", "1: sequence 1 has fewer samples (2) than lines (3)"),
]


@pytest.mark.parametrize(("content", "message"), BAD_DATA)
def test_bad_data(tmp_path: Path, content: str, message: str) -> None:
    file = text(tmp_path, content)
    with pytest.raises(BsError) as caught:
        read(make(file, randomize=False), "x")
    finding = caught.value.finding
    assert finding.rule == "data-line"
    assert finding.message == f"{file}:{message}"
    assert str(finding).startswith("config.cntk:3:8: ")  # at the reader's `file`


SPARSE_X = 'input = { x = { dim = 6 ; format = "sparse" } ; y = { dim = 1 ; format = "dense" } }'
GOLDEN_ERRORS = [
    ("ctf-long-sample", X3_Y1, "3: 4 values for 'x', whose dim is 3"),
    ("ctf-index-too-large", SPARSE_X, "2: index 6 is too large for 'x', whose dim is 6"),
    (
        "ctf-errors-over-limit",
        f"maxErrors = 2\n{X3_Y1}",
        r"10: the line has no sample of any stream \(error 3; maxErrors = 2\)",
    ),
    (
        "ctf-error-single-line",
        f"maxErrors = 10\n{X3_Y1}",
        r"4: 'a0.756' is not a number \(stream 'x'\); without it the line has no sample of 'x'",
    ),
]


@pytest.mark.parametrize(("case", "settings", "message"), GOLDEN_ERRORS)
def test_refuses_what_the_reference_refuses(case: str, settings: str, message: str) -> None:
    with pytest.raises(BsError, match=f"{case}.txt:{message}"):
        read(make(GOLDEN / f"{case}.txt", settings, randomize=False), "x")


@pytest.mark.parametrize("value", ["3", "3:", ":1", "3:a", "3 :1", "x:1", "-1:1", "99999999999999999999:1"])
def test_bad_sparse_values(tmp_path: Path, value: str) -> None:
    with pytest.raises(BsError, match=r"data\.txt:1: "):
        read(make(text(tmp_path, f"|x 1:1 {value} |y 1\n"), SPARSE_X), "x")


def test_tolerated_errors(tmp_path: Path) -> None:
    log: list[str] = []
    file = text(tmp_path, "1 |x 1 2 3 |y 1\n1 |x 1 2 b |y 2\n1 |x 4 5 6 |y 3\n2 |x 7 8 9 |y 4\n")
    reader = make(file, f"maxErrors = 1\n{X3_Y1}", randomize=False, log=log)
    (batch,) = reader.minibatches(0, None, 100)
    assert batch.layouts["x"].lengths.tolist() == [2, 1] and batch.layouts["y"].lengths.tolist() == [3, 1]
    assert log == [
        f"WARNING: {file}:2: 'b' is not a number (stream 'x'); this is left out (error 1 of 1 that maxErrors allows)"
    ]
    assert len(list(reader.minibatches(1, None, 100))) == 1 and len(log) == 1  # not counted again


BAD_FILES = [
    (b"", "data-file", "is empty"),
    (b" \n\t\n", "data-file", "is empty but for white space"),
    (b"\xff\xfe|\x00", "data-file", "is in UTF-16"),
    (b"a |x 1\n", "data-file", "has no sequence id in line 1"),
    (b"99999999999999999999 |x 1\n", "data-file", "has a sequence id of more than 18 digits"),
    (None, "missing-file", "cannot read the data file '.*data.txt': No such file"),
]


@pytest.mark.parametrize(("content", "rule", "message"), BAD_FILES)
def test_bad_files(tmp_path: Path, content: bytes | None, rule: str, message: str) -> None:
    file = text(tmp_path, content) if content is not None else tmp_path / "data.txt"
    with pytest.raises(BsError, match=message) as caught:
        next(make(file).minibatches(0, None, 1))
    assert caught.value.finding.rule == rule
    assert caught.value.finding.span is not None and caught.value.finding.span.text.strip('"') == str(file)


BAD_SETTINGS = [
    ("", "missing-key", "no 'input' block"),
    ("input = { }", "missing-key", "'input' block of the reader is empty"),
    ("input = { x = { dim = 3 } }", "missing-key", "stream 'x' has no 'format'"),
    ('input = { x = { format = "dense" } }', "missing-key", "stream 'x' has no 'dim'"),
    ('input = { x = { dim = 3 ; format = "onehot" } }', "config-value", "a stream is 'dense' or 'sparse'"),
    ('input = { x = { dim = 0 ; format = "dense" } }', "config-value", "at least 1 value"),
    (
        'input = { x = { dim = 3 ; format = "dense" } ; y = { dim = 3 ; format = "dense" ; alias = "x" } }',
        "config-value",
        "streams 'x' and 'y' are both called 'x'",
    ),
    (
        'input = { x = { dim = 3 ; format = "dense" ; definesMBSize = true } ; y = { dim = 3 ; format = "dense" ; definesMBSize = true } }',
        "config-value",
        "both have definesMBSize",
    ),
    (f"randomize = auto\n{X3_Y1}", "config-value", "true, false or none"),
    (f"randomizationWindow = -1\n{X3_Y1}", "config-value", "smaller than 0"),
    (f"precision = half\n{X3_Y1}", "config-value", "float or double"),
]


@pytest.mark.parametrize(("settings", "rule", "message"), BAD_SETTINGS)
def test_bad_settings(settings: str, rule: str, message: str) -> None:
    with pytest.raises(BsError, match=message) as caught:
        make("data.txt", settings)
    assert caught.value.finding.rule == rule and caught.value.finding.span is not None


def test_settings_come_from_enclosing_blocks(tmp_path: Path) -> None:
    file = text(tmp_path, "|x 1 |y 1\n|x 2 |y 2\n")
    assert make(file, top="randomize = false").settings.shuffling is None
    shuffling = make(file, top="chunkSizeInBytes = 1048576").settings.shuffling
    assert shuffling is not None and (shuffling.window, shuffling.in_samples) == (4096, False)
    shuffling = make(file, f"sampleBasedRandomizationWindow = true ; randomizationSeed = 5\n{X3_Y1}").settings.shuffling
    assert shuffling is not None and (shuffling.window, shuffling.in_samples, shuffling.seed) == (None, True, 5)


def network_input(name: str, *dims: int) -> Node:
    return Node("InputValue", name, shape=Shape(dims, DynamicAxis()))


def test_check_streams() -> None:
    reader = make("data.txt")
    check_streams([network_input("x", 3), network_input("y", 1, 1)], reader)
    with pytest.raises(
        BsError, match="the network has an input 'z', but the reader delivers no such stream, only 'x', 'y'"
    ) as caught:
        check_streams([network_input("z", 2)], reader)
    assert caught.value.finding.rule == "input-not-in-reader"
    assert str(caught.value.finding.span) == "config.cntk:4:1"
    with pytest.raises(BsError, match="capitals count: the stream is called 'x'"):
        check_streams([network_input("X", 3)], reader)
    with pytest.raises(
        BsError, match=r"input 'x' has the shape \[2 x 2 x \*\], 4 values a sample, but the reader's stream has dim = 3"
    ) as caught:
        check_streams([network_input("x", 2, 2)], reader)
    assert caught.value.finding.rule == "reader-dim-mismatch"
    assert caught.value.finding.span is not None and caught.value.finding.span.text == "3"
