const vscode = require("vscode");

/** Its API: the interpreter is the one that a test has chosen last. */
exports.activate = () => {
    const changed = new vscode.EventEmitter();
    let path;
    return {
        choose(chosen) {
            path = chosen;
            changed.fire({});
        },
        environments: {
            getActiveEnvironmentPath: () => ({ path }),
            resolveEnvironment: async () => (path ? { executable: { uri: vscode.Uri.file(path) } } : undefined),
            onDidChangeActiveEnvironmentPath: changed.event,
        },
    };
};
