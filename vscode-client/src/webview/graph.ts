// Shows the drawing of a network: the wheel zooms, dragging moves, a click on a node leads to the line that makes it.

import Panzoom, { type PanzoomObject } from "@panzoom/panzoom";
import "./graph.css";
import type { FromGraph, ToGraph } from "../protocol";

declare function acquireVsCodeApi(): { postMessage(message: FromGraph): void };

const vscode = acquireVsCodeApi();
const nonce = (document.currentScript as HTMLScriptElement).nonce ?? "";
const main = document.querySelector("main") as HTMLElement;
let view: PanzoomObject | undefined;

function show(message: ToGraph): void {
  if ("error" in message) {
    const text = document.createElement("pre");
    text.textContent = message.error;
    main.replaceChildren(text);
    return;
  }
  // Names in the drawing come from the user's files: parsed as XML, nothing in them can become a script.
  const drawing = new DOMParser().parseFromString(message.svg, "image/svg+xml").documentElement;
  for (const style of drawing.querySelectorAll("style")) style.setAttribute("nonce", nonce);
  const place = view ? { scale: view.getScale(), ...view.getPan() } : beginning(drawing);
  view?.destroy();
  main.replaceChildren(document.adoptNode(drawing));
  view = Panzoom(drawing as unknown as SVGElement, {
    startScale: place.scale,
    startX: place.x,
    startY: place.y,
    maxScale: 20,
    minScale: 0.02,
    canvas: true,
  });
}

/** The top of the drawing in the middle; smaller than life where it is wide, but not so small that nothing can be read. */
function beginning(drawing: Element): { scale: number; x: number; y: number } {
  const width = Number(drawing.getAttribute("width"));
  const scale = Math.max(0.4, Math.min(1, main.clientWidth / width));
  return { scale, x: (main.clientWidth / scale - width) / 2, y: 0 };
}

main.addEventListener("wheel", (event) => view?.zoomWithWheel(event), { passive: false });

// A click that ends a drag is none.
let pressed = { x: 0, y: 0 };
main.addEventListener("pointerdown", ({ clientX: x, clientY: y }) => (pressed = { x, y }), { capture: true });
main.addEventListener("click", (event) => {
  if (Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > 4) return;
  const node = (event.target as Element).closest<SVGElement>("g.node[data-path]");
  const { path, line, character } = node?.dataset ?? {};
  if (path) vscode.postMessage({ type: "open", path, line: Number(line), character: Number(character) });
});

window.addEventListener("message", (event: MessageEvent<ToGraph>) => show(event.data));
vscode.postMessage({ type: "ready" });
