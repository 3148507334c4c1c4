"""Open documents, their revisions, and what is found out about them in the background."""
