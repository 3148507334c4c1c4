// What others say and hear: the events of a run, and the messages to and from the pages in webviews.

export type Criteria = Record<string, { readonly value: number | null; readonly samples: number }>;

/** The events, with those of their fields that are used here. */
export type TrainingEvent =
  | { event: "minibatch"; command: string; epoch: number; epochs: number; criteria: Criteria }
  | {
      event: "epoch";
      command: string;
      epoch: number;
      epochs: number;
      part: "training" | "validation";
      criteria: Criteria;
      learningRatePerSample?: number;
      seconds?: number;
    }
  | { event: "checkpoint"; command: string; epoch: number; model: string }
  | { event: "result"; command: string; criteria?: Criteria; outputs?: string[]; samples?: number }
  | { event: "error"; rule: string; message: string; path?: string; line?: number; column?: number }
  | { event: "done" };

// To and from the page with the curves.
export type ToCurves =
  | { readonly type: "start"; readonly title: string }
  | { readonly type: "events"; readonly events: readonly TrainingEvent[] }
  | { readonly type: "running"; readonly running: boolean };
export type FromCurves = { readonly type: "ready" | "stop" };

// To and from the page with a graph.
export type ToGraph = { readonly svg: string } | { readonly error: string };
export type FromGraph =
  | { readonly type: "ready" }
  | { readonly type: "open"; readonly path: string; readonly line: number; readonly character: number };
