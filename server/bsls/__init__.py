"""Language server and static analyzer for BrainScript, the language of CNTK."""

__version__ = "0.1.0"
