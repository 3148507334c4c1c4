"""The standard library of BrainScript, written in BrainScript, one theme a file."""
