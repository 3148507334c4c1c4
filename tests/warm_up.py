"""Imported before processes are forked (see processes.py): loads what a check and a run load, and parses the library."""

from __future__ import annotations

import contextlib
import io
import tempfile
from importlib import import_module
from pathlib import Path

from bsls.check.run import check_config
from bsls.project.project import Project
from bstorch.main import Runtime
from small_project import make_project

for name in ("check", "graph", "resume", "run", "render.json", "render.text"):
    import_module(f"bsls.cli.{name}")
for name in ("dump_nodes", "resume", "write"):
    import_module(f"bstorch.actions.{name}")
with tempfile.TemporaryDirectory() as folder, contextlib.chdir(make_project(Path(folder))):
    check_config(["configFile=c.cntk"])
    Runtime(io.StringIO()).run(Project(["configFile=c.cntk"], foresee=False))
