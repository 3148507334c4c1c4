"""Marks all places in the document that name what stands at an offset."""

from __future__ import annotations

from bsls.features.document import Document
from bsls.features.references import Reference, highlighted


def highlights(document: Document, offset: int) -> list[Reference]:
    """As `references`, but in this document alone."""
    return highlighted(document, offset)
