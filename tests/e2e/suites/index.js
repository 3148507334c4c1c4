// Entered by VS Code's extension host: runs the suites beside this file with mocha.

const { readdirSync } = require("node:fs");
const { join } = require("node:path");
const { format } = require("node:util");
const Mocha = require("mocha");

// The editor writes to the same console; the mark tells who spoke.
Mocha.reporters.Base.consoleLog = (...what) => console.log(`[suites]${format(...what)}`);

exports.run = () =>
    new Promise((resolve, reject) => {
        const mocha = new Mocha({ timeout: 60_000, grep: process.env.E2E_GREP, color: false });
        for (const file of readdirSync(__dirname).filter((name) => name.endsWith(".test.js"))) {
            mocha.addFile(join(__dirname, file));
        }
        mocha.run((failures) => (failures ? reject(new Error(`${failures} failed`)) : resolve()));
    });
