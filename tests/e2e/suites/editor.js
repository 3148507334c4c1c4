// What several suites need of the editor.

const { readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const vscode = require("vscode");

const root = vscode.workspace.workspaceFolders[0].uri.fsPath;

/** Waits until `found` gives something other than undefined and false. */
async function until(what, found, seconds = 30) {
    const end = Date.now() + seconds * 1000;
    for (;;) {
        const result = await found();
        if (result !== undefined && result !== false) return result;
        if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
}

async function show(name) {
    const document = await vscode.workspace.openTextDocument(join(root, name));
    return vscode.window.showTextDocument(document, { preview: false });
}

/** The position after the first `text` in a document. */
function after(document, text) {
    return document.positionAt(document.getText().indexOf(text) + text.length);
}

/** Settings of this workspace; undefined takes one back. */
async function configure(settings) {
    for (const [key, value] of Object.entries(settings)) {
        await vscode.workspace.getConfiguration("brainscript").update(key, value, vscode.ConfigurationTarget.Workspace);
    }
}

/** Ids of the processes that were started by this extension host and have all `words` in their command line. */
function processes(...words) {
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .filter((pid) => {
            try {
                const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
                const state = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1][0];
                return words.every((word) => line.some((part) => part.includes(word))) && state !== "Z";
            } catch {
                return false; // it has just ended
            }
        })
        .map(Number);
}

module.exports = { root, until, show, after, configure, processes };
