// node run.mjs FILE.vsix PYTHON [FOLDER for screenshots]: all tests against the packed extension.

import { resolve } from "node:path";
import Mocha from "mocha";
import { VSCode } from "./vscode.mjs";

const [vsix, python, screenshots] = process.argv.slice(2).map((path) => resolve(path));
const code = await VSCode.start(vsix, python);
let passed = false;
try {
    passed = process.env.E2E_ONLY === "ui" || (await code.runSuites());
    if (process.env.E2E_ONLY !== "suites") {
        globalThis.e2e = { code, vsix, python, screenshots };
        const mocha = new Mocha({ timeout: 60_000, grep: process.env.E2E_GREP });
        mocha.addFile(new URL("ui/window.test.mjs", import.meta.url).pathname);
        await mocha.loadFilesAsync();
        const failures = await new Promise((done) => mocha.run(done));
        passed &&= failures === 0;
    }
} finally {
    await code.stop();
}
process.exit(passed ? 0 : 1);
