"""The workloads written by hand in PyTorch: the same network, data, minibatches and update as in the configs.

Run `python benchmarks/workloads/twin.py NAME --data DIR [--epochs N] [--threads N] [--padded]`.

Each epoch has a new order of the sequences; a minibatch takes at least one and goes on while the samples stay within the
size. Update: unit-gain momentum whose strength follows the samples that a minibatch really has, rate per sample,
gradients summed over samples. The seconds of an epoch are those of the loop with its batching from tensors in memory,
without reading the file.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence, pad_sequence

START = 0.1
"""What a delay gives before the first step."""

Sums = tuple[float, int]
"""The summed criterion of an epoch, and its samples."""

# --- data --------------------------------------------------------------------------------------------------------------


def dense(path: Path, shape: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Lines `|x digits |y class:1` as x (N, *shape) and y (N); each value of x is a single digit."""
    xs, ys = bytearray(), []
    with path.open("rb") as lines:
        for line in lines:
            _, x, y = line.split(b"|")
            xs += x[2:-1:2]
            ys.append(int(y[1:].split(b":")[0]))
    return (torch.frombuffer(xs, dtype=torch.uint8) - ord("0")).float().view(-1, *shape), torch.tensor(ys)


def ragged(path: Path, first: str, second: str) -> list[tuple[Tensor, Tensor]]:
    """Two one-hot streams as index vectors, a pair for each sequence."""
    found: dict[str, dict[str, list[int]]] = {}
    with path.open() as lines:
        for line in lines:
            key, *samples = line.split("|")
            sequence = found.setdefault(key.strip(), {first: [], second: []})
            for sample in samples:
                name, value = sample.split()
                sequence[name].append(int(value.split(":")[0]))
    return [(torch.tensor(s[first]), torch.tensor(s[second])) for s in found.values()]


def by_samples(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """The sequences in a new order, in groups of at most `size` samples, the longest of each group first."""
    batch: list[int] = []
    samples = 0
    for i in torch.randperm(len(lengths)).tolist():
        if batch and samples + lengths[i] > size:
            yield sorted(batch, key=lengths.__getitem__, reverse=True)
            batch, samples = [], 0
        batch.append(i)
        samples += lengths[i]
    yield sorted(batch, key=lengths.__getitem__, reverse=True)


def packed_layout(lengths: Tensor) -> tuple[Tensor, Tensor]:
    """For falling lengths: where each packed sample is in the sequences one after the other, and how many each step has."""
    steps = torch.arange(int(lengths[0]))
    alive = steps[:, None] < lengths[None, :]
    places = (lengths.cumsum(0) - lengths)[None, :] + steps[:, None]
    return places[alive], alive.sum(1)


# --- update ------------------------------------------------------------------------------------------------------------


class UnitGain:
    """s = m s + (1 - m) g, w -= lr s, with m = momentum ** (samples / size). Rows of the table without a sample rest."""

    def __init__(self, net: nn.Module, table: Tensor | None, lr: float, size: int, momentum: float = 0.9) -> None:
        self.table, self.lr, self.size, self.momentum = table, lr, size, momentum
        rest = [p for p in net.parameters() if p is not table and p.requires_grad]
        self.optimizer = torch.optim.SGD(rest, lr=lr, momentum=momentum, fused=True)
        for p in rest:
            self.optimizer.state[p]["momentum_buffer"] = torch.zeros_like(p)
        self.smooth = None if table is None else torch.zeros_like(table, requires_grad=False)

    def step(self, samples: int, touched: Tensor | None = None) -> None:
        """The update for a minibatch of `samples` samples, in which the rows `touched` of the table were used."""
        m = self.momentum ** (samples / self.size)
        group = self.optimizer.param_groups[0]
        group["momentum"] = group["dampening"] = m
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.table is None or self.smooth is None or touched is None:
            return
        assert self.table.grad is not None
        with torch.no_grad():
            rows = touched.unique()
            smooth = self.smooth[rows].lerp_(self.table.grad[rows], 1 - m)
            self.smooth[rows] = smooth
            self.table.index_add_(0, rows, smooth, alpha=-self.lr)
        self.table.grad = None


# --- networks ----------------------------------------------------------------------------------------------------------


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


def convnet() -> nn.Module:
    def block(maps_in: int, maps: int) -> tuple[nn.Module, ...]:
        return nn.Conv2d(maps_in, maps, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)

    dense = nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(inplace=True), nn.Linear(128, 10)
    return nn.Sequential(*block(3, 32), *block(32, 64), *block(64, 64), *dense)


def conv_bn(maps_in: int, maps: int, width: int, step: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(maps_in, maps, width, step, width // 2, bias=False),
        nn.BatchNorm2d(maps, momentum=1 - math.exp(-64 / 4096)),
    )


class Residual(nn.Module):
    """Two convolutions, and beside them the input, by a convolution of its own where the size changes."""

    def __init__(self, maps_in: int, maps: int) -> None:
        super().__init__()
        step = 2 if maps > maps_in else 1
        self.inner = nn.Sequential(conv_bn(maps_in, maps, 3, step), nn.ReLU(inplace=True), conv_bn(maps, maps, 3, 1))
        self.shortcut = conv_bn(maps_in, maps, 1, step) if step > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu_(self.inner(x) + self.shortcut(x))


def resnet20() -> nn.Module:
    maps = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
    blocks = [Residual(a, b) for a, b in pairwise(maps)]
    end = nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64, 10)
    return nn.Sequential(conv_bn(3, 16, 3, 1), nn.ReLU(inplace=True), *blocks, *end)


def lstm(inputs: int, cells: int, both: bool = False) -> nn.LSTM:
    """One bias for each gate learns, as in the configs; the second one stays 0."""
    net = nn.LSTM(inputs, cells, bidirectional=both)
    for name, p in net.named_parameters():
        if name.startswith("bias_hh"):
            p.requires_grad_(False)
    return net


class PackedTagger(nn.Module):
    """Embedding, LSTM (in both directions), output; packed sequences."""

    def __init__(self, both: bool) -> None:
        super().__init__()
        self.directions = 2 if both else 1
        self.table = nn.Embedding(943, 150)
        self.lstm = lstm(150, 300, both)
        self.out = nn.Linear(300 * self.directions, 129)

    def forward(self, q: Tensor, sizes: Tensor) -> Tensor:
        """`q` holds the words of all sequences step by step, `sizes` how many sequences each step has."""
        state = torch.full((self.directions, int(sizes[0]), 300), START)
        h, _ = self.lstm(PackedSequence(self.table(q), sizes), (state, state))
        return self.out(h.data)


class PaddedTagger(nn.Module):
    """The same on padded sequences: some steps are wasted, but the library runs the whole layer at once."""

    def __init__(self, both: bool) -> None:
        super().__init__()
        self.table = nn.Embedding(943, 150)
        self.lstms = nn.ModuleList(lstm(150, 300) for _ in range(2 if both else 1))
        self.out = nn.Linear(300 * len(self.lstms), 129)

    def forward(self, q: Tensor, sizes: Tensor) -> Tensor:
        columns, steps = torch.arange(int(sizes[0])), torch.arange(len(sizes))[:, None]
        lengths = (sizes[:, None] > columns).sum(0)
        alive = steps < lengths
        turned = torch.where(alive, lengths - 1 - steps, steps)
        state = torch.full((1, len(columns), 300), START)
        x = self.table(torch.zeros(*alive.shape, dtype=q.dtype).masked_scatter(alive, q))
        outputs = []
        for backwards, net in enumerate(self.lstms):
            h, _ = net(x[turned, columns] if backwards else x, (state, state))
            outputs.append(h[turned, columns] if backwards else h)
        return self.out(torch.cat(outputs, 2)[alive])


class Translator(nn.Module):
    """Encoder LSTM; decoder LSTM of the last symbol and an attention-weighted mean of the source.

    The encoder takes the sources packed or `padded`: what it says of the padding, the attention leaves out.
    """

    def __init__(self, padded: bool, words: int = 60, embedding: int = 64, hidden: int = 128, attention: int = 128):
        super().__init__()
        self.padded = padded
        self.hidden = hidden
        self.table = nn.Embedding(words, embedding)
        self.encoder = lstm(embedding, hidden)
        self.history = nn.Embedding(words, embedding)
        self.keys = nn.Linear(hidden, attention, bias=False)
        self.query = nn.Linear(hidden, attention, bias=False)
        self.score = nn.Linear(attention, 1, bias=False)
        self.inputs = nn.Linear(embedding, 4 * hidden)
        self.recur = nn.Linear(hidden, 4 * hidden, bias=False)
        self.context = nn.Linear(hidden, 4 * hidden, bias=False)
        self.out = nn.Linear(hidden, words)

    def encoded(self, source: Tensor, lengths: Tensor) -> Tensor:
        """The states of the encoder, (sequences, steps, hidden)."""
        state = torch.full((1, source.shape[1], self.hidden), START)
        x = self.table(source)
        if self.padded:
            return self.encoder(x, (state, state))[0].transpose(0, 1).contiguous()
        packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
        return pad_packed_sequence(self.encoder(packed, (state, state))[0], batch_first=True)[0]

    def forward(self, source: Tensor, source_lengths: Tensor, previous: Tensor, sizes: Tensor) -> Tensor:
        """`source` (steps, sequences) in the order of falling length of the targets; `previous` the last symbols, packed
        like the targets (those of the first step do not count)."""
        batch = source.shape[1]
        values = self.encoded(source, source_lengths)
        keys = self.keys(values)
        mask = torch.arange(values.shape[1])[None, :] >= source_lengths[:, None]

        first = torch.zeros(len(previous), 1, dtype=torch.bool)
        first[:batch] = True
        x = self.inputs(torch.where(first, START, self.history(previous)))
        weights = torch.cat([self.query.weight, self.recur.weight])
        attention = len(self.query.weight)
        h = c = torch.full((batch, self.hidden), START)
        outputs = []
        for step in x.split(sizes.tolist()):
            n = len(step)
            if n < len(h):
                h, c, keys, values, mask = h[:n], c[:n], keys[:n], values[:n], mask[:n]
            projected = functional.linear(h, weights)
            u = self.score(torch.tanh(keys + projected[:, None, :attention])).squeeze(2)
            alpha = torch.softmax(u.masked_fill(mask, -torch.inf), 1)
            mean = torch.bmm(alpha[:, None], values).squeeze(1)
            gates = torch.addmm(step + projected[:, attention:], mean, self.context.weight.t())
            sigmoids, new = gates[:, : 3 * self.hidden].sigmoid(), gates[:, 3 * self.hidden :].tanh()
            i, f, o = sigmoids.chunk(3, 1)
            c = torch.addcmul(f * c, i, new)
            h = o * c.tanh()
            outputs.append(h)
        return self.out(torch.cat(outputs))


# --- training: one epoch -----------------------------------------------------------------------------------------------


def images(net: nn.Module, x: Tensor, y: Tensor, size: int, rule: UnitGain) -> Sums:
    total = torch.zeros(())
    for rows in torch.randperm(len(y)).split(size):
        loss = functional.cross_entropy(net(x[rows] / 10), y[rows], reduction="sum")
        loss.backward()
        rule.step(len(rows))
        total += loss.detach()
    return total.item(), len(y)


def tags(net: nn.Module, data: Sequence[tuple[Tensor, Tensor]], size: int, rule: UnitGain) -> Sums:
    total, lengths = torch.zeros(()), [len(q) for q, _ in data]
    for batch in by_samples(lengths, size):
        places, sizes = packed_layout(torch.tensor([lengths[i] for i in batch]))
        q = torch.cat([data[i][0] for i in batch])[places]
        s = torch.cat([data[i][1] for i in batch])[places]
        loss = functional.cross_entropy(net(q, sizes), s, reduction="sum")
        loss.backward()
        rule.step(len(q), q)
        total += loss.detach()
    return total.item(), sum(lengths)


def translations(net: nn.Module, data: Sequence[tuple[Tensor, Tensor]], size: int, rule: UnitGain) -> Sums:
    total, lengths = torch.zeros(()), [len(t) for _, t in data]
    for batch in by_samples(lengths, size):
        sources = [data[i][0] for i in batch]
        source_lengths = torch.tensor([len(s) for s in sources])
        places, sizes = packed_layout(torch.tensor([lengths[i] for i in batch]))
        flat = torch.cat([data[i][1] for i in batch])
        target, previous = flat[places], flat[(places - 1).clamp_(min=0)]
        z = net(pad_sequence(sources), source_lengths, previous, sizes)
        loss = functional.cross_entropy(z, target, reduction="sum")
        loss.backward()
        rule.step(len(target), torch.cat(sources))
        total += loss.detach()
    return total.item(), sum(lengths)


def prepare(name: str, folder: Path, padded: bool) -> tuple[nn.Module, Callable[[], Sums]]:
    """The network, and what trains it for one epoch."""
    path = folder / f"{name}.ctf"
    if name == "mlp":
        net, (x, y) = mlp(), dense(path, (784,))
        rule = UnitGain(net, None, 0.02 / 256, 256)
        return net, lambda: images(net, x, y, 256, rule)
    if name in ("convnet", "resnet20"):
        net = (convnet() if name == "convnet" else resnet20()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        x, y = dense(path, (3, 32, 32))
        x = x.contiguous(memory_format=torch.channels_last)
        rule = UnitGain(net, None, 0.1 / 64, 64)
        return net, lambda: images(net, x, y, 64, rule)
    if name == "seq2seq":
        net, data, epoch = Translator(padded), ragged(path, "source", "target"), translations
    else:
        net, data = (PaddedTagger if padded else PackedTagger)(name == "bilstm"), ragged(path, "q", "s")
        epoch = tags
    rule = UnitGain(net, net.table.weight, 0.002, 500)
    return net, lambda: epoch(net, data, 500, rule)


def initialise(parameters: Iterable[nn.Parameter]) -> None:
    for p in parameters:
        if p.dim() > 1:
            nn.init.xavier_uniform_(p)
        else:
            nn.init.zeros_(p)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("name", choices=["mlp", "convnet", "resnet20", "lstm_tagger", "bilstm", "seq2seq"])
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--epochs", type=int, default=4)
    options.add_argument("--threads", type=int, default=torch.get_num_threads())
    options.add_argument("--padded", action="store_true", help="ragged ones: padded instead of packed sequences")
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    net, epoch = prepare(arguments.name, arguments.data, arguments.padded)
    initialise(net.parameters())
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    print("parameters", sum(p.numel() for p in net.parameters() if p.requires_grad), flush=True)
    for number in range(1, arguments.epochs + 1):
        start = time.perf_counter()
        loss, samples = epoch()
        seconds = time.perf_counter() - start
        print(f"epoch {number}: loss = {loss / samples:.6f} * {samples}; seconds = {seconds:.6f}", flush=True)


if __name__ == "__main__":
    main()
