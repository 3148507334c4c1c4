"""The files that a network description includes."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence

from bsls.finding import BsError
from bsls.project.files import Files
from bsls.source import ExpandedText, Source, Span
from bsls.syntax.includes import with_includes


def including(text: ExpandedText, files: Files, beside: Sequence[str]) -> ExpandedText:
    """The text with what it includes; `beside` are the files (the configs) that it comes from.

    A path counts as it stands, else its last part in the folders of the files around it. Raises BsError.
    """

    def read(path: str, place: Span, folders: Sequence[str]) -> tuple[str, Source]:
        name = posixpath.basename(path.replace("\\", "/"))
        for candidate in dict.fromkeys([path, *(os.path.join(folder, name) for folder in folders)]):
            if files.look(candidate) is not None or files.absolute(candidate) in files.documents:
                return candidate, files.source(candidate, place)
        files.exists(path)
        where = ", ".join(f"'{files.shown(folder) or '.'}'" for folder in dict.fromkeys(folders))
        help = f"correct the path; '{name}' is not in {where} either" if where else "correct the path"
        raise BsError("missing-file", f"the included file '{path}' does not exist", place, help=help)

    return with_includes(text, read, [os.path.dirname(path) for path in beside])
