"""How fast the language server answers, through a real client over standard input and output.

A config of about 230 lines is typed in. Goals (median and 95th percentile): from the keystroke to the findings that need
no evaluation 30 ms, to those of the networks 100 ms, completion 50 ms, also while a large network is being evaluated;
from the start of the server to the first diagnostics 1 s; 150 MB of memory. An empty request is timed beside them: what
the machine and the protocol take in any case.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # compiled once, as for a user
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
ROUNDS = 60

LARGE = """
command = Deep
Deep = {
    action = "train" ; modelPath = "deep.dnn" ; SGD = { maxEpochs = 1 ; learningRatesPerSample = 0.1 }
    reader = { readerType = "CNTKTextFormatReader" ; file = "x" ; input = { x = { dim = 8 ; format = "dense" } } }
    BrainScriptNetworkBuilder = {
        Stack {n, v} = if n == 0 then v else Stack {n - 1, Tanh (LinearLayer {8} (v))}
        x = Input {8} ; z = Stack {1500, x} ; mse = SquareError (x, z)
        featureNodes = (x) ; criterionNodes = (mse) ; outputNodes = (z)
    }
}
"""


def config() -> str:
    """The examples in one file, of about 230 lines."""
    parts = [EXAMPLES / "digits" / "autoencoder.cntk", EXAMPLES / "digits" / "adapt.cntk"]
    text = "\n".join(path.read_text() for path in parts)
    third = (EXAMPLES / "adapt" / "3-new-task.cntk").read_text().replace("../digits/", "")
    lines = (text + "\n" + third).splitlines()[:262]
    closed = "\n".join(lines).rpartition("\n}\n")[0] + "\n}\n"
    return closed + "command = Train:Test:Frozen:TestFrozen:Tuned:TestTuned:Base:NewOutput\n"


class Session:
    """A client, its server, and the time at which diagnostics come."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client = LanguageClient("bench", "1")
        self.arrivals: asyncio.Queue[tuple[float, types.PublishDiagnosticsParams]] = asyncio.Queue()
        self.version = 0
        self.uri = (folder / "config.cntk").as_uri()

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def arrived(params: types.PublishDiagnosticsParams) -> None:
            self.arrivals.put_nowait((time.perf_counter(), params))

    async def start(self) -> None:
        await self.client.start_io(sys.executable, "-m", "bsls", "lsp", "--stdio", env=ENVIRONMENT)
        await self.client.initialize_async(
            types.InitializeParams(
                capabilities=types.ClientCapabilities(), process_id=os.getpid(), root_uri=self.folder.as_uri()
            )
        )
        self.client.initialized(types.InitializedParams())

    def open(self, name: str, text: str) -> None:
        uri = (self.folder / name).as_uri()
        item = types.TextDocumentItem(uri, "brainscript", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def type(self, line: int, start: int, end: int, text: str, uri: str = "") -> float:
        """Changes a line; the time at which that was sent."""
        self.version += 1
        place = types.Range(types.Position(line, start), types.Position(line, end))
        began = time.perf_counter()
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self.version + 1, uri or self.uri),
                [types.TextDocumentContentChangePartial(place, text)],
            )
        )
        return began

    async def settled(self) -> None:
        await self.client.protocol.send_request_async("brainscript/settled", {"uri": self.uri})

    async def until(self, wanted: Callable[[list[str]], bool]) -> float:
        """The time at which diagnostics of the newest text came that are as wanted."""
        while True:
            at, params = await asyncio.wait_for(self.arrivals.get(), 60)
            codes = [str(d.code) for d in params.diagnostics]
            if params.uri == self.uri and params.version == self.version + 1 and wanted(codes):
                return at

    def memory(self) -> float:
        """Memory of the server in MB, the most that it ever had."""
        server = self.client._server
        assert server is not None
        status = Path(f"/proc/{server.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def measured(what: str, goal: float, one: Callable[[int], Awaitable[float]], rounds: int = ROUNDS) -> list[float]:
    """Shows median and 95th percentile of the milliseconds that `one` takes."""
    times = [1000 * await one(i) for i in range(rounds)]
    p95 = quantiles(times, n=20)[-1]
    print(f"  {what:52} {median(times):7.1f}  {p95:7.1f}" + (f"   (goal {goal:g})" if goal else ""))
    return times


async def run(folder: Path) -> None:
    text = config()
    starts: list[float] = []
    for _ in range(5):
        session = Session(folder)
        began = time.perf_counter()
        await session.start()
        session.open("config.cntk", text)
        starts.append(1000 * (await session.until(lambda codes: True) - began))
        await session.client.shutdown_async(None)
        session.client.exit(None)
        await session.client.stop()

    session = Session(folder)
    await session.start()
    session.open("config.cntk", text)
    await session.settled()
    lines = text.splitlines()
    wrong = next(i for i, line in enumerate(lines) if "code = encode (pixels)" in line)
    model = next(i for i, line in enumerate(lines) if "featNet.L3_y" in line)
    column = lines[model].index("L3_y")
    print(f"{len(lines)} lines; milliseconds, median and 95th percentile")
    print(
        f"  {'start of the server to the first diagnostics':52} {median(starts):7.1f}  {max(starts):7.1f}   (goal 1000)"
    )

    async def empty(i: int) -> float:
        began = time.perf_counter()
        await session.client.protocol.send_request_async("brainscript/commands", {"uri": "file:///nothing"})
        return time.perf_counter() - began

    async def quick(i: int) -> float:
        """An unknown name is typed: said without evaluation."""
        began = session.type(wrong, 0, 0, "unheard + ") if i % 2 == 0 else session.type(wrong, 0, 10, "")
        took = await session.until(lambda codes: ("syntax" in codes) == (i % 2 == 0)) - began
        await session.settled()
        return took

    async def network(i: int) -> float:
        """A node of a model that is not there: said after evaluation."""
        began = session.type(model, column, column + 4, "L9_y" if i % 2 == 0 else "L3_y")
        took = await session.until(lambda codes: ("model-node" in codes) == (i % 2 == 0)) - began
        await session.settled()
        return took

    async def completion(i: int) -> float:
        place = types.Position(model, column)
        began = time.perf_counter()
        found: Any = await session.client.text_document_completion_async(
            types.CompletionParams(types.TextDocumentIdentifier(session.uri), place)
        )
        took = time.perf_counter() - began
        items = found.items if isinstance(found, types.CompletionList) else found
        assert any(item.label == "L3_y" for item in items)
        return took

    await measured("an empty request", 0, empty)
    await measured("keystroke to findings without evaluation", 30, quick)
    await measured("keystroke to findings of the networks", 100, network)
    await measured("completion of nodes of a model", 50, completion)
    session.open("large.cntk", LARGE)
    busy = (folder / "large.cntk").as_uri()
    began = time.perf_counter()

    async def busy_completion(i: int) -> float:
        if i % 10 == 0:  # begins anew, so that it does not end meanwhile
            session.type(8, 0, 0, "#\n" if i % 20 == 0 else " ", busy)
            await asyncio.sleep(0.05)
        return await completion(i)

    await measured("the same while a large network is evaluated", 50, busy_completion)
    await session.client.protocol.send_request_async("brainscript/settled", {"uri": busy})
    print(f"  evaluation of that network, with interruptions: {time.perf_counter() - began:.1f} s")
    print(f"  memory of the server: {session.memory():.0f} MB (goal 150)")
    await session.client.shutdown_async(None)
    session.client.exit(None)
    await session.client.stop()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


if __name__ == "__main__":
    main()
