"""Makes check.svg: what a terminal shows of `bsls check` on the broken example."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bsls.check.run import check_config
from bsls.cli.render.text import render
from bsls.project.files import Files

HERE = Path(__file__).resolve().parent


def main() -> None:
    digits = HERE.parent.parent / "examples" / "digits"
    findings, files = check_config(["configFile=adapt-broken.cntk"], Files(str(digits)))
    for finding in findings:
        assert finding.span is not None
        finding.span.source.path = "adapt-broken.cntk"
    console = Console(record=True, width=112, force_terminal=True, file=io.StringIO(), highlight=False)
    console.print("[bold]$ bsls check adapt-broken.cntk[/]")
    for line in render(findings, len(files.read), colour=True):
        console.print(Text.from_ansi(line))
    svg = console.export_svg(title="bsls check")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # no fonts from elsewhere
    (HERE / "check.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
