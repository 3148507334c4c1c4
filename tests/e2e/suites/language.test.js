const assert = require("node:assert/strict");
const vscode = require("vscode");
const { until, show, after, configure, processes } = require("./editor");

const { E2E_PYTHON, E2E_BARE_PYTHON } = process.env;
const servers = (python) => processes(python, "bsls", "lsp", "--stdio");

function findings(document) {
    return vscode.languages.getDiagnostics(document.uri).filter((d) => d.source === "bsls");
}

async function edit(editor, change) {
    assert.ok(await editor.edit(change));
}

describe("language features, with a Python that has no packages", () => {
    let editor;

    beforeEach(async () => {
        editor = await show("adapt.cntk");
    });

    afterEach(async () => {
        await vscode.commands.executeCommand("workbench.action.files.revert");
    });

    it("finds the name of a node that is written as a record, and mends it", async () => {
        const { document } = editor;
        await until("a clean file", () => findings(document).length === 0);
        const place = after(document, "feat.L4");
        await edit(editor, (change) => change.replace(new vscode.Range(place, place.translate(0, 2)), ".y"));
        const [finding] = await until("the finding", () => findings(document).length > 0 && findings(document));
        assert.equal(finding.severity, vscode.DiagnosticSeverity.Error);
        assert.match(finding.message, /L4/);

        const actions = await vscode.commands.executeCommand(
            "vscode.executeCodeActionProvider",
            document.uri,
            finding.range,
            "quickfix",
        );
        const fix = actions.find((action) => /L4_y/.test(action.title));
        assert.ok(fix, `no fix among: ${actions.map((action) => action.title).join("; ")}`);
        await vscode.workspace.applyEdit(fix.edit);
        assert.match(document.getText(), /feat\.L4_y/);
        await until("a clean file", () => findings(document).length === 0);
    });

    it("completes the nodes of a model that has not been trained", async () => {
        const { document } = editor;
        const items = await until("node names", async () => {
            const list = await vscode.commands.executeCommand(
                "vscode.executeCompletionItemProvider",
                document.uri,
                after(document, "(feat."),
            );
            const labels = list.items.map(({ label }) => (typeof label === "string" ? label : label.label));
            return labels.includes("L4_y") && labels;
        });
        assert.ok(items.includes("pixels"));
    });

    it("explains what is under the mouse", async () => {
        const { document } = editor;
        const text = await until("a hover", async () => {
            const place = after(document, "ce   = CrossEntropy");
            const hovers = await vscode.commands.executeCommand("vscode.executeHoverProvider", document.uri, place);
            return (
                hovers.length > 0 &&
                hovers.flatMap((hover) => hover.contents.map((part) => part.value ?? part)).join("\n")
            );
        });
        assert.match(text, /CrossEntropyWithSoftmax/);
    });
});

describe("the server", () => {
    it("comes back after it was killed", async () => {
        const editor = await show("adapt.cntk");
        const [first] = await until(
            "the server",
            () => servers(E2E_BARE_PYTHON).length > 0 && servers(E2E_BARE_PYTHON),
        );
        process.kill(first, "SIGKILL");
        await until("another server", () => servers(E2E_BARE_PYTHON).some((pid) => pid !== first));
        const place = after(editor.document, "feat.L4");
        await edit(editor, (change) => change.replace(new vscode.Range(place, place.translate(0, 2)), ".y"));
        await until("the finding", () => findings(editor.document).length > 0);
        await vscode.commands.executeCommand("workbench.action.files.revert");
    });

    it("stays off after five deaths, until it is told to start", async () => {
        await vscode.commands.executeCommand("brainscript.restartServer");
        let last;
        for (let death = 1; death <= 5; death++) {
            const isNew = (pid) => pid !== last;
            last = await until(`server ${death}`, () => servers(E2E_BARE_PYTHON).find(isNew));
            process.kill(last, "SIGKILL");
        }
        await new Promise((resolve) => setTimeout(resolve, 1000));
        assert.deepEqual(servers(E2E_BARE_PYTHON), []);
        await vscode.commands.executeCommand("brainscript.restartServer");
        await until("the server", () => servers(E2E_BARE_PYTHON).length === 1);
    });

    it("runs with the interpreter of the Python extension where the setting is empty", async () => {
        const python = await vscode.extensions.getExtension("ms-python.python").activate();
        try {
            python.choose(E2E_PYTHON);
            await configure({ interpreter: "" });
            await until("the server", () => servers(E2E_PYTHON).length > 0 && servers(E2E_BARE_PYTHON).length === 0);
        } finally {
            await configure({ interpreter: undefined });
        }
        await until("the usual server", () => servers(E2E_BARE_PYTHON).length > 0);
    });
});
