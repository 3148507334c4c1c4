"""The language server protocol: the only room that knows it."""
