"""An editor for all tests of a module, in which nothing may fail."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lsp.editor import Editor


@pytest_asyncio.fixture(scope="module")
async def editor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Editor]:
    started = await Editor.started(tmp_path_factory.mktemp("editor"))
    yield started
    started.assert_quiet()
    await started.stop()
