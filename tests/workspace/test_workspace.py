"""Documents that change faster than they can be evaluated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from bsls.finding import Finding
from bsls.workspace.workspace import Workspace

SLOW = """command = W
reader = { readerType = "CNTKTextFormatReader" ; file = "x.txt" ; input = { x = { dim = 8 ; format = "dense" } } }
W = { action = "write" ; outputPath = "o" ; BrainScriptNetworkBuilder = {
    Stack {n, v} = if n == 0 then v else Stack {n - 1, Tanh (LinearLayer {8} (v))}
    x = Input {8} ; z = Stack {%d, x} ; featureNodes = (x) ; outputNodes = (z%s)
} }
"""


class Client:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.published: list[tuple[str, int | None, list[str]]] = []
        self.busy_told: list[tuple[str, bool]] = []
        self.current: dict[str, int] = {}

    def publish(self, path: str, revision: int | None, findings: Sequence[Finding]) -> None:
        assert revision is None or revision == self.current[path], "of an old text"
        self.published.append((path, revision, [f.rule for f in findings]))

    def busy(self, path: str, begun: bool) -> None:
        self.busy_told.append((path, begun))


@pytest.fixture(autouse=True)
def data(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("|x 1 2 3 4 5 6 7 8\n")


def run(work: Callable[[Workspace, Client], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        client = Client()
        workspace = Workspace(asyncio.get_running_loop(), client)
        try:
            await work(workspace, client)
        finally:
            workspace.shut_down()

    asyncio.run(main())


async def settled(workspace: Workspace, path: str) -> None:
    done = asyncio.Event()
    workspace.when_settled(path, done.set)
    await asyncio.wait_for(done.wait(), 30)


def test_results_of_old_texts_are_never_published(tmp_path: Path) -> None:
    path = str(tmp_path / "c.cntk")

    async def work(workspace: Workspace, client: Client) -> None:
        for revision in range(12):
            client.current[path] = revision
            workspace.open(path, SLOW % (150, "") if revision % 3 else SLOW % (150, " : unheard"), revision)
            await asyncio.sleep(0.03 * (revision % 4))
        await settled(workspace, path)
        assert client.published[-1] == (path, 11, [])

    run(work)


def test_an_evaluation_in_the_way_is_given_up(tmp_path: Path) -> None:
    """A small change in one document need not wait for an older text of a large one."""
    large, small = str(tmp_path / "large.cntk"), str(tmp_path / "small.cntk")

    async def work(workspace: Workspace, client: Client) -> None:
        client.current |= {large: 1, small: 1}
        workspace.open(large, SLOW % (1000, ""), 1)
        await asyncio.sleep(0.3)
        client.current[large] = 2
        workspace.open(large, SLOW % (1, ""), 2)
        workspace.open(small, SLOW % (1, " : unheard"), 1)
        await settled(workspace, small)
        await settled(workspace, large)
        assert {(p, r) for p, r, _ in client.published} >= {(large, 2), (small, 1)}
        assert client.published[-1][1:] in ((2, []), (1, ["unknown-identifier"]))

    run(work)


def test_nothing_flickers_where_quick_findings_stay_the_same(tmp_path: Path) -> None:
    path = str(tmp_path / "c.cntk")

    async def work(workspace: Workspace, client: Client) -> None:
        for revision, text in enumerate((SLOW % (1, " : x.nothing"), SLOW % (2, " : x.nothing"))):
            client.current[path] = revision
            workspace.open(path, text, revision)
            await settled(workspace, path)
        assert [rules for _, _, rules in client.published] == [["unknown-identifier"]] * 2

    run(work)


def test_closing_takes_everything_back(tmp_path: Path) -> None:
    path = str(tmp_path / "c.cntk")
    (tmp_path / "part.cntk").write_text("x = \n")

    async def work(workspace: Workspace, client: Client) -> None:
        client.current[path] = 1
        workspace.open(path, "include=part.cntk\ncommand = A\n", 1)
        await settled(workspace, path)
        shown = {p: rules for p, _, rules in client.published}
        assert shown[str(tmp_path / "part.cntk")] == ["syntax"] and shown[path]
        workspace.close(path)
        shown = {p: rules for p, _, rules in client.published}
        assert not any(shown.values())
        assert workspace.document(path) is None

    run(work)


def test_a_failure_inside_is_one_word_and_the_next_text_is_analysed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bsls.workspace import analysis

    path = str(tmp_path / "c.cntk")
    whole = analysis.all_findings

    def failing(context: Any) -> list[Finding]:
        if "fall over" in context.config.text.text:
            raise ZeroDivisionError("inside")
        return whole(context)

    monkeypatch.setattr(analysis, "all_findings", failing)

    async def work(workspace: Workspace, client: Client) -> None:
        for revision, text in enumerate(("x = fall over\n" + SLOW % (1, ""), SLOW % (1, ""))):
            client.current[path] = revision
            workspace.open(path, text, revision)
            await settled(workspace, path)
        assert [rules for _, _, rules in client.published] == [["internal"], []]

    run(work)


@pytest.mark.parametrize(
    ("name", "text"),
    [("c.cntk", "a = " + "[" * 30_000), ("c.cntk", "a=[" * 30_000), ("c.cntk", "T = { BrainScriptNetworkBuilder = {x = " + "(" * 30_000),
     ("c.bs", "x = " + "(" * 30_000 + ")" * 30_000)],
    ids=["brackets", "blocks", "parentheses", "brainscript"],
)  # fmt: skip
def test_brackets_without_end(tmp_path: Path, name: str, text: str) -> None:
    path = str(tmp_path / name)

    async def work(workspace: Workspace, client: Client) -> None:
        client.current[path] = 1
        workspace.open(path, text, 1)
        await settled(workspace, path)
        assert [rules for _, _, rules in client.published] == [["nesting-limit"]]

    run(work)


def test_looking_at_files_goes_on_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bsls.workspace import workspace as room

    monkeypatch.setattr(room, "POLL", 0.05)
    path, part = str(tmp_path / "c.cntk"), tmp_path / "part.cntk"
    changed = room.Analysis.__init__.__globals__["Files"].changed
    failures: list[int] = []

    def failing(files: Any) -> bool:
        if len(failures) < 2:
            failures.append(1)
            raise RuntimeError("inside")
        return changed(files)

    monkeypatch.setattr(room.Analysis.__init__.__globals__["Files"], "changed", failing)

    async def work(workspace: Workspace, client: Client) -> None:
        client.current[path] = 1
        workspace.open(path, "include=part.cntk\n" + SLOW % (1, ""), 1)
        await settled(workspace, path)
        assert client.published[-1][2] == ["include"] or client.published[-1][2] == ["missing-file"]
        part.write_text("y = 1\n")
        for _ in range(200):
            await asyncio.sleep(0.02)
            if client.published[-1][2] == []:
                return
        raise AssertionError(client.published)

    run(work)
    assert failures == [1, 1]


def test_commands_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    path = str(tmp_path / "c.cntk")

    async def work(workspace: Workspace, client: Client) -> None:
        for revision in range(4):
            client.current[path] = revision
            text = (
                (SLOW % (1, ""))
                .replace("command = W\n", f"command = W{revision}\n")
                .replace("\nW = ", f"\nW{revision} = ")
            )
            workspace.open(path, text, revision)
            await settled(workspace, path)
        document = workspace.document(path)
        assert document is not None and list(document.evaluations) == [("W3", "write")]

    run(work)


@pytest.mark.parametrize("name", ["c.cntk", "c.bs"])
def test_a_text_that_is_too_long(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)

    async def work(workspace: Workspace, client: Client) -> None:
        client.current[path] = 1
        workspace.open(path, "x = 1\n" * 200_000, 1)
        await settled(workspace, path)
        assert [rules for _, _, rules in client.published] == [["syntax"]]

    run(work)
