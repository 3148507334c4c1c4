// Makes of the sources what VS Code loads: node build.mjs FOLDER

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const outdir = process.argv[2] ?? "dist";
const common = { bundle: true, minify: true, outdir, metafile: true, logLevel: "warning", legalComments: "none" };

const results = await Promise.all([
    build({
        ...common,
        entryPoints: ["src/extension.ts"],
        platform: "node",
        format: "cjs",
        target: "node20",
        external: ["vscode"],
    }),
    build({
        ...common,
        entryPoints: ["src/webview/curves.ts", "src/webview/graph.ts"],
        platform: "browser",
        format: "iife",
        target: "es2023",
    }),
]);

// The licences of the packages that went in ask to be kept with them.
const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
const packages = new Set(inputs.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]).filter(Boolean));
const notices = [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : ""}\n`;
});
writeFileSync(join(outdir, "NOTICES.txt"), notices.join(`\n${"-".repeat(80)}\n\n`));
