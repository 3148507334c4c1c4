"""What bsls is for, in five steps on real data: train, check, adapt and resume, test, look back.

Run by `make demo`; everything is written to build/demo. Every step calls the command line as a user would.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

HERE = Path(__file__).resolve().parent
WORK = HERE.parent / "build" / "demo"
BSLS = [str(Path(sys.executable).parent / "bsls")]
console = Console(highlight=False, soft_wrap=True)


class DemoFailed(Exception):
    """A step that did not come out as it must."""


def title(number: int, text: str) -> None:
    console.print(f"\n[bold cyan]{number}. {text}[/]")


def explain(text: str) -> None:
    console.print(text)


def bsls(*arguments: str, expect: int = 0, show: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs bsls to its end and shows command and output."""
    console.print(f"[bold]$ bsls {' '.join(arguments)}[/]", markup=True)
    done = subprocess.run([*BSLS, *arguments], cwd=WORK, capture_output=True, text=True, check=False)
    if show:
        for line in done.stdout.splitlines():
            console.print("  " + line, markup=False, style="red" if "error:" in line or "^^" in line else "")
    if done.returncode != expect:
        raise DemoFailed(
            f"bsls {' '.join(arguments)} ended with {done.returncode}, not {expect}:\n{done.stdout}{done.stderr}"
        )
    return done


Stop = Callable[[dict], bool]


def train(label: str, *arguments: str, stop: Stop | None = None) -> list[dict]:
    """Runs a training with a progress bar; returns its events. `stop` says at which event the process is killed."""
    console.print(f"[bold]$ bsls {' '.join(arguments)}[/]")
    events = WORK / "events.jsonl"
    events.unlink(missing_ok=True)
    log = (WORK / "log.txt").open("a")
    process = subprocess.Popen([*BSLS, *arguments, "--events", str(events)], cwd=WORK, stdout=log, stderr=log)
    found: list[dict] = []
    killed = False
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figure]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=not console.is_terminal) as progress:
        task = progress.add_task(label, total=None, figure="")
        position = 0
        while True:
            ended = process.poll() is not None
            if events.exists():
                with events.open() as file:
                    file.seek(position)
                    while (line := file.readline()).endswith("\n"):
                        position = file.tell()
                        event = json.loads(line)
                        found.append(event)
                        if event["event"] == "epoch":
                            figures = "  ".join(f"{n} = {c['value']:.4f}" for n, c in event["criteria"].items())
                            progress.update(task, total=event["epochs"], completed=event["epoch"], figure=figures)
                        if stop is not None and not killed and stop(event):
                            process.send_signal(signal.SIGKILL)
                            killed = True
            if ended:
                break
            time.sleep(0.005 if stop else 0.05)
    if process.returncode != 0 and not killed:
        log.close()
        raise DemoFailed(f"the training failed; the end of its log:\n{(WORK / 'log.txt').read_text()[-2000:]}")
    last = next((e for e in reversed(found) if e["event"] == "epoch"), None)
    if last is not None:
        figures = ", ".join(f"{n} = {c['value']:.8f}" for n, c in last["criteria"].items())
        console.print(
            f"  {'killed after' if killed else 'finished'} epoch {last['epoch']} of {last['epochs']}: {figures}"
        )
    return found


def curve(events: list[dict], name: str) -> list[float]:
    return [e["criteria"][name]["value"] for e in events if e["event"] == "epoch" and e["part"] == "training"]


def error_rate(log: str) -> float:
    m = re.search(r"Final Results: .*?errs = ([\d.]+)%", log)
    if m is None:
        raise DemoFailed(f"no error rate in:\n{log[-1000:]}")
    return float(m.group(1))


def parameters(path: Path) -> dict[str, bytes]:
    """The bytes of each parameter of a model file."""
    from bsls.modelfile import v1

    return {n.name: n.value.array().tobytes() for n in v1.read(str(path)) if n.is_parameter and n.value is not None}


def plot(autoencoder: list[float], frozen: list[float], tuned: list[float], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4))
    left.plot(range(1, len(autoencoder) + 1), autoencoder)
    left.set(title="auto-encoder", xlabel="epoch", ylabel="squared error")
    right.plot(range(1, len(frozen) + 1), frozen, label="features constant")
    right.plot(range(1, len(tuned) + 1), tuned, label="features learnable")
    right.set(title="classifier", xlabel="epoch", ylabel="cross entropy", yscale="log")
    right.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    began = time.monotonic()
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.copytree(HERE / "digits", WORK, ignore=shutil.ignore_patterns("models", "__pycache__"))
    shutil.copy(WORK / "adapt-broken.cntk", WORK / "mine.cntk")
    console.print("[bold]bsls: CNTK configs, checked, trained, adapted and continued today[/]")
    explain(f"Handwritten digits, 8 x 8 pixels; all files are written to {os.path.relpath(WORK)}")

    title(1, "Train an auto-encoder")
    explain("Six layers squeeze 64 pixels into 32 numbers and draw the digit again from these. The layers are records")
    explain("L1 ... L6, so the log calls their outputs L1.y ... L6.y; L3.y is the code. No labels are used.")
    auto_encoder = curve(train("auto-encoder", "run", "configFile=autoencoder.cntk", "command=Train"), "mse")

    title(2, "Check a config that adapts it")
    explain(
        "mine.cntk uses the first half of the auto-encoder for a classifier. It says featNet.L3.y, as the log prints it."
    )
    bsls("check", "mine.cntk", expect=1)
    explain("A loaded network has nodes, not records: the dot becomes an underscore. The checker can mend that.")
    bsls("check", "--fix", "mine.cntk")
    explain("The names are known even where nothing was trained, from the command that will write the model:")
    fresh = WORK / "untrained"
    fresh.mkdir()
    for name in ("autoencoder.cntk", "adapt-broken.cntk", "train.txt", "test.txt"):
        shutil.copy(WORK / name, fresh)
    done = bsls("check", "untrained/adapt-broken.cntk", expect=1, show=False)
    for line in [x for x in done.stdout.splitlines() if "L3_y" in x or "error:" in x][:2]:
        console.print("  " + line, markup=False, style="red" if "error:" in line else "")
    if "L3_y" not in done.stdout:
        raise DemoFailed("the checker does not know the nodes of a model that is not trained yet")

    title(3, "Train the classifier, kill it half-way, resume")
    explain("First without interruption; the copied layers are constant, only the new output layer learns.")
    whole = train("classifier", "run", "configFile=mine.cntk", "command=Frozen")
    shutil.move(WORK / "models" / "frozen.dnn", WORK / "models" / "uninterrupted.dnn")
    for file in (WORK / "models").glob("frozen.dnn*"):
        file.unlink()
    explain("Now the same again, and the process is killed in the middle (SIGKILL, no chance to tidy up).")
    half = whole[-2]["epochs"] // 2 if "epochs" in whole[-2] else 7
    train(
        "classifier",
        "run",
        "configFile=mine.cntk",
        "command=Frozen",
        stop=lambda e: e["event"] == "checkpoint" and e["epoch"] >= half,
    )
    resumed = train("resumed", "resume", "mine.cntk", "command=Frozen")
    same = parameters(WORK / "models" / "frozen.dnn") == parameters(WORK / "models" / "uninterrupted.dnn")
    if curve(resumed, "ce")[-1] != curve(whole, "ce")[-1] or not same:
        raise DemoFailed("the resumed training did not end like the uninterrupted one")
    console.print("  [green]the last figures are equal, and so is every bit of the two models[/]")

    title(4, "Test it, with the features constant and with the features learnable")
    tuned_events = train("learnable features", "run", "configFile=mine.cntk", "command=Tuned")
    rates: dict[str, float] = {}
    for label, command in (("constant", "TestFrozen"), ("learnable", "TestTuned")):
        rates[label] = error_rate(bsls("run", "configFile=mine.cntk", f"command={command}", show=False).stderr)
        console.print(f"  features {label}: {rates[label]:.2f} % of the held-out digits are wrong")
    source, frozen, tuned = (
        parameters(WORK / "models" / name) for name in ("autoencoder.dnn", "frozen.dnn", "tuned.dnn")
    )
    copied = [name for name in source if f"code.{name}" in frozen]
    kept = [name for name in copied if frozen[f"code.{name}"] == source[name]]
    moved = [name for name in copied if tuned[f"code.{name}"] != source[name]]
    if not copied or kept != copied or moved != copied or max(rates.values()) >= 10:
        raise DemoFailed(f"constant: {kept} of {copied} kept; learnable: {moved} moved; error rates {rates}")
    console.print(
        f"  [green]{', '.join(copied)}: equal to the auto-encoder's to the last bit where constant, changed where learnable[/]"
    )

    title(5, "What there is now")
    plot(auto_encoder, curve(whole, "ce"), curve(tuned_events, "ce"), WORK / "loss.png")
    folder = os.path.relpath(WORK)
    log = bsls("run", "configFile=autoencoder.cntk", "command=Test", show=False).stderr
    drawn = re.search(r"Final Results: .*?mse = ([\d.]+)", log)
    if drawn is None:
        raise DemoFailed(f"no figure in:\n{log[-1000:]}")
    table = Table(title=f"Models in {folder}/models", title_justify="left")
    for column in ("model", "file", "on held-out digits"):
        table.add_column(column, no_wrap=True)
    table.add_row("auto-encoder", "autoencoder.dnn", f"squared error {float(drawn.group(1)):.3f}")
    table.add_row("constant features", "frozen.dnn", f"{rates['constant']:.2f} % wrong")
    table.add_row("learnable features", "tuned.dnn", f"{rates['learnable']:.2f} % wrong")
    console.print(table)
    console.print(f"Loss plot: {folder}/loss.png   log: {folder}/log.txt   time: {time.monotonic() - began:.0f} s")
    console.print("Try next:")
    console.print(f"  .venv/bin/bsls model show {folder}/models/frozen.dnn", markup=False)
    console.print(
        f"  cd {folder} && ../../.venv/bin/bsls resume mine.cntk command=Frozen --max-epochs 25", markup=False
    )
    console.print("  the five questions of adapting models: README.md, examples/adapt", markup=False)


if __name__ == "__main__":
    try:
        main()
    except DemoFailed as failure:
        console.print(f"[bold red]the demo failed:[/] {failure}", markup=True)
        sys.exit(1)
