// Draws the curves and the table of a training from its events.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./curves.css";
import type { Criteria, FromCurves, ToCurves, TrainingEvent } from "../protocol";

declare function acquireVsCodeApi(): { postMessage(message: FromCurves): void };

const vscode = acquireVsCodeApi();

/** Epochs (with fractions) and the values there, for one line of a chart. */
interface Line {
  readonly label: string;
  readonly look: "minibatch" | "training" | "validation";
  readonly x: number[];
  readonly y: (number | null)[];
}

interface Row {
  training?: Criteria;
  validation?: Criteria;
  rate?: number;
  seconds?: number;
}

/** What is known of the training of one command. */
class Course {
  readonly rows = new Map<number, Row>();
  criteria: string[] = [];
  epoch = 1;
  epochs = 1;
  private readonly minibatches: { epoch: number; samples: number; criteria: Criteria }[] = [];
  private samples = 0;
  private epochSize = 0;

  add(event: Extract<TrainingEvent, { event: "minibatch" | "epoch" }>): void {
    const { epoch, criteria } = event;
    this.criteria = Object.keys(criteria);
    this.epochs = event.epochs;
    if (epoch !== this.epoch) this.samples = 0;
    this.epoch = epoch;
    if (event.event === "minibatch") {
      this.samples += criteria[this.criteria[0] ?? ""]?.samples ?? 0;
      this.minibatches.push({ epoch, samples: this.samples, criteria });
      return;
    }
    const row = this.rows.get(epoch) ?? {};
    row[event.part] = criteria;
    if (event.part === "training") {
      this.epochSize = criteria[this.criteria[0] ?? ""]?.samples ?? 0;
      row.rate = event.learningRatePerSample;
      row.seconds = event.seconds;
    }
    this.rows.set(epoch, row);
  }

  lines(criterion: string): Line[] {
    // How long an epoch is, is known after the first; until then, what has been seen fills it.
    const size = this.epochSize || this.samples || 1;
    const rows = [...this.rows];
    const line = (part: "training" | "validation"): Line => {
      const with_ = rows.filter(([, row]) => row[part]);
      const y = with_.map(([, row]) => row[part]?.[criterion]?.value ?? null);
      return { label: part, look: part, x: with_.map(([epoch]) => epoch), y };
    };
    const minibatches: Line = {
      label: "minibatches",
      look: "minibatch",
      x: this.minibatches.map(({ epoch, samples }) => epoch - 1 + Math.min(samples / size, 1)),
      y: this.minibatches.map(({ criteria }) => criteria[criterion]?.value ?? null),
    };
    return [minibatches, line("training"), line("validation")].filter(({ x }) => x.length > 0);
  }
}

interface Result {
  readonly command: string;
  readonly text: string;
}

class Page {
  private title = "";
  private running = false;
  private courses = new Map<string, Course>();
  private results: Result[] = [];
  private failure = "";
  /** The command that is shown; undefined: the latest. */
  private chosen: string | undefined;
  private charts: uPlot[] = [];
  private kind = "";
  private due = false;

  private readonly heading = element("h2");
  private readonly progress = element("progress");
  private readonly stop = element("button", "stop");
  private readonly tabs = element("nav");
  private readonly plots = element("section", "plots");
  private readonly table = element("table");
  private readonly notes = element("ul");

  constructor(main: HTMLElement) {
    this.stop.textContent = "Stop";
    this.stop.title = "Stop the training; Resume Training goes on from the last checkpoint";
    this.stop.addEventListener("click", () => vscode.postMessage({ type: "stop" }));
    const header = element("header");
    header.append(this.heading, this.progress, this.stop, this.tabs);
    const figures = element("section", "figures");
    figures.append(this.notes, this.table);
    main.append(header, this.plots, figures);
    new ResizeObserver(() => this.resize()).observe(this.plots);
    // Another theme.
    new MutationObserver(() => this.soon()).observe(document.body, {
      attributeFilter: ["class", "data-vscode-theme-id"],
    });
  }

  receive(message: ToCurves): void {
    if (message.type === "start") {
      this.title = message.title;
      this.courses = new Map();
      this.results = [];
      this.failure = "";
      this.chosen = undefined;
    } else if (message.type === "running") {
      this.running = message.running;
    } else {
      for (const event of message.events) this.take(event);
    }
    this.soon();
  }

  private take(event: TrainingEvent): void {
    if (event.event === "minibatch" || event.event === "epoch") {
      const course = this.courses.get(event.command) ?? new Course();
      this.courses.set(event.command, course);
      course.add(event);
    } else if (event.event === "result") {
      const found = Object.entries(event.criteria ?? {}).map(([name, { value }]) => `${name} = ${number(value)}`);
      const text = found.length ? found.join(", ") : `wrote ${(event.outputs ?? []).join(", ")}`;
      this.results.push({ command: event.command, text });
    } else if (event.event === "error") {
      this.failure = event.message;
    }
  }

  /** Draws at most once a frame. */
  private soon(): void {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      this.draw();
    });
  }

  private draw(): void {
    const name = this.chosen ?? [...this.courses.keys()].at(-1);
    const course = name === undefined ? undefined : this.courses.get(name);
    this.drawHeader(name, course);
    this.drawTabs(name);
    this.notes.replaceChildren(
      ...this.results.map(({ command, text }) => element("li", "", `${command}: ${text}`)),
      ...(this.failure ? [element("li", "failure", this.failure)] : []),
    );
    this.drawTable(course);
    this.drawCharts(name, course);
  }

  private drawHeader(name: string | undefined, course: Course | undefined): void {
    const done = course ? `epoch ${course.epoch} of ${course.epochs}` : this.running ? "starting …" : "";
    this.heading.textContent = [this.title, ...(name ? [name] : []), done].filter(Boolean).join(" — ");
    this.progress.max = course?.epochs ?? 1;
    this.progress.value = course ? Math.max(0, ...course.rows.keys()) : 0;
    this.progress.hidden = this.stop.hidden = !this.running;
  }

  private drawTabs(shown: string | undefined): void {
    this.tabs.hidden = this.courses.size < 2;
    this.tabs.replaceChildren(
      ...[...this.courses.keys()].map((name) => {
        const tab = element("button", name === shown ? "shown" : "", name);
        tab.addEventListener("click", () => {
          this.chosen = name;
          this.soon();
        });
        return tab;
      }),
    );
  }

  private drawTable(course: Course | undefined): void {
    if (!course) return this.table.replaceChildren();
    const validated = [...course.rows.values()].some((row) => row.validation);
    const titles = [
      "epoch",
      ...course.criteria,
      ...(validated ? course.criteria.map((name) => `${name} (val.)`) : []),
      "rate",
      "seconds",
    ];
    const head = element("tr");
    head.append(...titles.map((title) => element("th", "", title)));
    const rows = [...course.rows].reverse().map(([epoch, row]) => {
      const cells = [
        String(epoch),
        ...course.criteria.map((name) => number(row.training?.[name]?.value)),
        ...(validated ? course.criteria.map((name) => number(row.validation?.[name]?.value)) : []),
        number(row.rate),
        row.seconds?.toFixed(2) ?? "",
      ];
      const line = element("tr");
      line.append(...cells.map((cell) => element("td", "", cell)));
      return line;
    });
    this.table.replaceChildren(head, ...rows);
  }

  private drawCharts(name: string | undefined, course: Course | undefined): void {
    const all = (course?.criteria ?? []).map((criterion) => course?.lines(criterion) ?? []);
    // Charts are made anew only where others are due; the theme's colours are copied into them.
    const kind = JSON.stringify([
      name,
      document.body.dataset["vscodeThemeId"],
      all.map((lines) => lines.map(({ look }) => look)),
    ]);
    if (kind === this.kind) {
      this.charts.forEach((chart, i) => chart.setData(data(all[i] ?? [])));
      return;
    }
    this.kind = kind;
    for (const chart of this.charts) chart.destroy();
    const places = all.map(() => element("div", "plot"));
    this.plots.replaceChildren(...places);
    this.charts = places.map((place, i) => chart(course?.criteria[i] ?? "", all[i] ?? [], place));
    requestAnimationFrame(() => this.resize()); // the height of a legend is known when it stands there
  }

  private resize(): void {
    for (const chart of this.charts) {
      const place = chart.root.parentElement;
      if (!place?.clientWidth) continue;
      const others = [...chart.root.querySelectorAll<HTMLElement>(".u-title, .u-legend")];
      const height = others.reduce((left, { offsetHeight }) => left - offsetHeight, place.clientHeight);
      chart.setSize({ width: place.clientWidth, height: Math.max(height, 90) });
    }
  }
}

function data(lines: readonly Line[]): uPlot.AlignedData {
  return lines.length ? uPlot.join(lines.map(({ x, y }) => [x, y])) : [[]];
}

function chart(title: string, lines: readonly Line[], place: HTMLElement): uPlot {
  const style = getComputedStyle(document.body);
  const colour = (name: string): string => style.getPropertyValue(`--vscode-${name}`).trim() || "gray";
  const axis: uPlot.Axis = {
    stroke: colour("descriptionForeground"),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour("panel-border"), width: 1 },
    ticks: { show: false },
  };
  const looks: Record<Line["look"], Partial<uPlot.Series>> = {
    minibatch: { stroke: colour("charts-lines"), width: 1, points: { show: false } },
    training: { stroke: colour("charts-blue"), width: 2 },
    validation: { stroke: colour("charts-orange"), width: 2, dash: [6, 4] },
  };
  return new uPlot(
    {
      title,
      width: place.clientWidth,
      height: 120,
      cursor: { points: { size: 6 }, drag: { x: true, y: false } },
      scales: { x: { time: false, range: (_, low, high) => [Math.min(low, high - 1), Math.max(high, 1)] } },
      axes: [
        { ...axis, size: 28, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], space: 40 },
        { ...axis, size: 52, values: (_, ticks) => ticks.map(number) },
      ],
      series: [
        { label: "epoch", value: (_, x: number | null) => (x === null ? "" : x.toFixed(2)) },
        ...lines.map(({ label, look }) => ({
          label,
          spanGaps: true,
          value: (_: uPlot, y: number | null) => number(y),
          ...looks[look],
        })),
      ],
    },
    data(lines),
    place,
  );
}

/** Up to four significant digits; nothing where there is no number. */
function number(value: number | null | undefined): string {
  return value === null || value === undefined ? "" : String(Number(value.toPrecision(4)));
}

function element<K extends keyof HTMLElementTagNameMap>(tag: K, kind = "", text = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  if (text) made.textContent = text;
  return made;
}

const main = document.querySelector("main");
if (main) {
  const shown = new Page(main);
  window.addEventListener("message", (event: MessageEvent<ToCurves>) => shown.receive(event.data));
  vscode.postMessage({ type: "ready" });
}
