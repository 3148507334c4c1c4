"""The server as a process: how it ends, and what it does with messages that make no sense."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

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


def answers(
    sent: bytes, folder: Path, wait_for: int = 0, then: bytes = b""
) -> tuple[int, dict[object, Any], list[dict], str]:
    """Exit code, answers by number of the request, notifications, and the error stream.

    What is sent `then` waits for the answer to the request `wait_for`.
    """
    found: dict[object, Any] = {}
    told: list[dict] = []
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder
    ) as server:
        assert server.stdin and server.stdout and server.stderr
        server.stdin.write(sent)
        server.stdin.flush()
        if not wait_for:
            server.stdin.close()
        while head := server.stdout.readline():
            if not head.lower().startswith(b"content-length:"):
                continue
            while server.stdout.readline().strip():
                pass
            content = json.loads(server.stdout.read(int(head.partition(b":")[2])))
            if "id" in content and "method" not in content:
                found[content["id"]] = content.get("result", content.get("error"))
                if wait_for and content["id"] == wait_for:
                    server.stdin.write(then)
                    server.stdin.close()
            else:
                told.append(content)
        return server.wait(20), found, told, server.stderr.read().decode()


def test_it_says_what_it_can_do_and_ends_when_it_is_told(tmp_path: Path) -> None:
    code, found, told, errors = answers(INITIALIZE + message("initialized", {}) + END, tmp_path)
    assert (code, errors) == (0, "")
    capabilities = found[1]["capabilities"]
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
    code, found, told, _ = answers(
        INITIALIZE + message("initialized", {}) + b"".join(wrong) + settled, tmp_path, 7, END
    )
    assert code == 0
    assert {1, 2, 3, 4, 5, 6, 7, 99} <= found.keys()
    assert found[6]["code"] == -32602
    assert found[2] is None and found[3] is None
    assert not any(t["method"].startswith("window/") for t in told)
    published = [t["params"] for t in told if t["method"] == "textDocument/publishDiagnostics"]
    assert published and published[-1]["uri"] == "untitled:Untitled-1" and published[-1]["diagnostics"]


def test_requests_that_come_too_early_or_too_late(tmp_path: Path) -> None:
    hover = {"textDocument": {"uri": "file:///nowhere.cntk"}, "position": {"line": 0, "character": 0}}
    opened = message("textDocument/didOpen", {"textDocument": {"uri": "file:///a.cntk", "languageId": "brainscript", "version": 1, "text": "x"}})  # fmt: skip
    early = message("textDocument/hover", hover, 11) + opened
    late = message("shutdown", number=98) + message("textDocument/hover", hover, 12) + message("exit")
    code, found, told, errors = answers(early + INITIALIZE + message("initialized", {}) + late, tmp_path)
    assert (code, errors) == (0, "")
    assert [found[n]["code"] for n in (11, 12)] == [-32002, -32600]
    assert 98 in found and not told


def test_changes_without_a_version(tmp_path: Path) -> None:
    address = {"uri": (tmp_path / "a.cntk").as_uri()}
    start = {"line": 0, "character": 0}
    sent = [
        message("textDocument/didOpen", {"textDocument": {**address, "languageId": "brainscript", "version": 1, "text": "mand = T"}}),
        message("textDocument/didChange", {"textDocument": {**address, "version": None}, "contentChanges": [{"range": {"start": start, "end": start}, "text": "m"}]}),
        message("textDocument/didChange", {"textDocument": address, "contentChanges": [{"range": {"start": start, "end": start}, "text": "co"}]}),
        message("brainscript/settled", address, 2),
    ]  # fmt: skip
    _, _, told, errors = answers(INITIALIZE + message("initialized", {}) + b"".join(sent), tmp_path, 2, END)
    published = [t["params"] for t in told if t["method"] == "textDocument/publishDiagnostics"]
    assert errors == "" and [d["code"] for d in published[-1]["diagnostics"]] == ["unknown-command"]


def test_one_file_under_two_addresses(tmp_path: Path) -> None:
    (tmp_path / "a b.cntk").write_text("command = T")
    whole = (tmp_path / "a b.cntk").as_uri()
    other = whole.replace("a%20b", "%61%20b")
    sent = [
        message("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "brainscript", "version": 1, "text": "command = U"}})
        for uri in (whole, other)
    ]  # fmt: skip
    sent += [message("textDocument/didClose", {"textDocument": {"uri": whole}}), message("brainscript/settled", {"uri": other}, 2)]  # fmt: skip
    _, found, told, errors = answers(INITIALIZE + message("initialized", {}) + b"".join(sent), tmp_path, 2, END)
    published = [t["params"] for t in told if t["method"] == "textDocument/publishDiagnostics"]
    assert errors == "" and found[2] == {"version": 1}
    assert (published[-1]["uri"], len(published[-1]["diagnostics"])) == (other, 1)
