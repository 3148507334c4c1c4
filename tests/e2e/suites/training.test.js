const assert = require("node:assert/strict");
const { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const vscode = require("vscode");
const { root, until, configure, processes } = require("./editor");

const models = join(root, "models");
const config = vscode.Uri.file(join(root, "autoencoder.cntk"));
const run = (command, uri = config) => vscode.commands.executeCommand("brainscript.run", uri, { command });
const resume = (maxEpochs) =>
    vscode.commands.executeCommand("brainscript.resume", config, { command: "Train", maxEpochs });

/** The number of the last epoch whose model is there. */
function lastEpoch() {
    const names = existsSync(models) ? readdirSync(models) : [];
    return Math.max(0, ...names.map((name) => Number(/^autoencoder\.dnn\.(\d+)$/.exec(name)?.[1] ?? 0)));
}

describe("training", () => {
    before(() => configure({ interpreter: process.env.E2E_PYTHON }));
    after(() => configure({ interpreter: undefined }));

    beforeEach(() => rmSync(models, { recursive: true, force: true }));
    afterEach(() => configure({ "run.arguments": undefined }));

    it("runs to the end", async () => {
        await configure({ "run.arguments": ["Train=[SGD=[maxEpochs=3]]"] });
        await run("");
        assert.ok(existsSync(join(models, "autoencoder.dnn")));
    });

    it("goes on where it was killed", async () => {
        await configure({ "run.arguments": ["Train=[SGD=[maxEpochs=100000]]"] });
        const ended = run("Train");
        await until("a second epoch", () => lastEpoch() >= 2);
        const [pid] = processes(process.env.E2E_PYTHON, "run", config.fsPath);
        process.kill(pid, "SIGKILL");
        await ended;
        const done = lastEpoch();
        await configure({ "run.arguments": undefined });
        await resume(String(done + 3));
        assert.ok(existsSync(join(models, "autoencoder.dnn")), readdirSync(models).join(" "));
    });

    it("stops when it is told to, and keeps what can be resumed", async () => {
        await configure({ "run.arguments": ["Train=[SGD=[maxEpochs=100000]]"] });
        const ended = run("Train");
        await until("an epoch", () => lastEpoch() >= 1);
        await vscode.commands.executeCommand("brainscript.stop");
        await ended;
        assert.ok(lastEpoch() >= 1);
        assert.equal(processes(process.env.E2E_PYTHON, "run", config.fsPath).length, 0);
    });

    it("leads to the line that made it fail", async () => {
        const broken = join(root, "no-data.cntk");
        writeFileSync(broken, readFileSync(config.fsPath, "utf8").replace('"train.txt"', '"nowhere.txt"'));
        const uri = vscode.Uri.file(broken);
        await run("Train", uri);
        const [problem] = await until("a problem", () => {
            const found = vscode.languages.getDiagnostics(uri).filter(({ source }) => source === "bsls run");
            return found.length > 0 && found;
        });
        const lines = readFileSync(broken, "utf8").split("\n");
        assert.match(lines[problem.range.start.line], /nowhere\.txt/);
        rmSync(broken);
    });

    it("leaves no files behind but the events of the last run", async () => {
        const left = readdirSync(process.env.TMPDIR ?? tmpdir()).filter((name) => name.startsWith("brainscript-"));
        assert.ok(left.length <= 1, left.join(" "));
    });
});

describe("Check Workspace", () => {
    it("puts findings of files that are not open into the Problems panel", async () => {
        const broken = join(root, "unopened.cntk");
        writeFileSync(broken, readFileSync(join(root, "adapt.cntk"), "utf8").replaceAll("feat.L4_y", "feat.L4.y"));
        await vscode.commands.executeCommand("brainscript.check");
        const [problem] = await until("a problem", () => {
            const found = vscode.languages
                .getDiagnostics(vscode.Uri.file(broken))
                .filter(({ source }) => source === "bsls check");
            return found.length > 0 && found;
        });
        assert.equal(problem.code, "model-node");
        rmSync(broken);
    });
});
