"""The server as a process: how it ends, and what it does with messages that make no sense."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "bsls", "lsp", "--stdio"]


def message(method: str, params: object = None, number: int | None = None) -> bytes:
    content: dict[str, object] = {"jsonrpc": "2.0", "method": method, "params": params}
    if number is not None:
        content["id"] = number
    return framed(json.dumps(content).encode())


def framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


INITIALIZE = message("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, 1)
END = message("shutdown", number=99) + message("exit")


def answers(sent: bytes, folder: Path) -> tuple[int, dict[object, object], list[dict], str]:
    """Exit code, answers by number of the request, notifications, and the error stream."""
    ran = subprocess.run(COMMAND, input=sent, capture_output=True, timeout=60, cwd=folder)
    found: dict[object, object] = {}
    told: list[dict] = []
    rest = ran.stdout
    while rest:
        head, _, rest = rest.partition(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        content, rest = json.loads(rest[:size]), rest[size:]
        if "id" in content and "method" not in content:
            found[content["id"]] = content.get("result", content.get("error"))
        else:
            told.append(content)
    return ran.returncode, found, told, ran.stderr.decode()


def test_it_says_what_it_can_do_and_ends_when_it_is_told(tmp_path: Path) -> None:
    code, found, told, errors = answers(INITIALIZE + message("initialized", {}) + END, tmp_path)
    assert (code, errors) == (0, "")
    capabilities = found[1]["capabilities"]  # type: ignore[index]
    assert capabilities["positionEncoding"] == "utf-16"
    assert capabilities["completionProvider"] and capabilities["renameProvider"]
    assert 99 in found and not told


def test_it_ends_with_its_client(tmp_path: Path) -> None:
    assert answers(INITIALIZE, tmp_path)[0] in (0, 1)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_on_a_signal(tmp_path: Path, how: signal.Signals) -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        assert server.stdin and server.stdout
        server.stdin.write(INITIALIZE)
        server.stdin.flush()
        server.stdout.readline()
        server.send_signal(how)
        assert server.wait(10) in (0, 1, 130, -how)


def test_messages_that_make_no_sense(tmp_path: Path) -> None:
    place = {"textDocument": {"uri": "file:///nowhere.cntk"}, "position": {"line": 3, "character": 7}}
    wrong = [
        message("textDocument/hover", place, 2),  # not open
        message("textDocument/didChange", {"textDocument": {"uri": "file:///nowhere.cntk", "version": 2}, "contentChanges": [{"text": "x"}]}),
        message("textDocument/didClose", {"textDocument": {"uri": "file:///nowhere.cntk"}}),
        message("textDocument/didOpen", {"textDocument": {"uri": "untitled:Untitled-1", "languageId": "brainscript", "version": 1, "text": "a = {"}}),
        message("textDocument/hover", {"textDocument": {"uri": "untitled:Untitled-1"}, "position": {"line": 77, "character": 7}}, 3),
        message("textDocument/completion", {"textDocument": {"uri": "untitled:Untitled-1"}, "position": {"line": 0, "character": 70}}, 4),
        message("no/suchThing", {}, 5),
        framed(b"{no json"),
        message("textDocument/hover", {"wrong": 1}, 6),
    ]  # fmt: skip
    settled = message("brainscript/settled", {"uri": "untitled:Untitled-1"}, 7)
    code, found, told, _ = answers(INITIALIZE + message("initialized", {}) + b"".join(wrong) + settled + END, tmp_path)
    assert code == 0
    assert {1, 2, 3, 4, 5, 7, 99} <= found.keys()
    assert found[2] is None and found[3] is None
    assert not any(t["method"].startswith("window/") for t in told)
    published = [t["params"] for t in told if t["method"] == "textDocument/publishDiagnostics"]
    assert published and published[-1]["uri"] == "untitled:Untitled-1" and published[-1]["diagnostics"]
