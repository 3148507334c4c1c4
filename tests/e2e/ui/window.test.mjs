// What a user sees: squiggles, menus, curves and graphs in the window, with a picture of each.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VSCode } from "../vscode.mjs";

const { code, vsix, python, screenshots } = globalThis.e2e;

/** Our item in the status bar. */
const STATUS = "[id='bsls.brainscript.brainscript']";

/** A window with a file in its editor. */
async function openFile(folder, name, window = code) {
    const page = await window.open(folder, [["openFile", window.uri(join(folder, name))]]);
    await page.locator(".monaco-editor .view-line").first().waitFor({ timeout: 30_000 });
    await page.locator(STATUS).waitFor({ timeout: 30_000 });
    await page.keyboard.press("Control+b"); // the side bar only takes room
    return page;
}

async function picture(page, name) {
    if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

/** Runs a command by its title. A window that has just been opened does not offer all of them at once. */
async function command(page, title) {
    await until(async () => {
        await page.keyboard.press("F1");
        await page.locator(".quick-input-widget input.input").fill(`>${title}`);
        await page.locator(".quick-input-list .monaco-list-row.focused", { hasText: title }).waitFor({ timeout: 2000 });
    }, page);
    await page.keyboard.press("Enter");
}

/** Tries something until it works, up to ten times; Escape takes back what it left. */
async function until(attempt, page) {
    for (let left = 9; ; left--) {
        try {
            return await attempt();
        } catch (error) {
            if (left === 0) throw error;
            await page.keyboard.press("Escape");
        }
    }
}

async function pick(page, label) {
    await page.locator(".quick-input-list .monaco-list-row", { hasText: label }).first().click();
}

/** The page inside a webview. */
function webview(page) {
    return page.frameLocator("iframe.webview").last().frameLocator("#active-frame");
}

/** Puts the cursor behind the first `text` of the editor. */
async function find(page, text) {
    await page.keyboard.press("Control+f");
    await page.keyboard.type(text);
    await page.locator(".find-widget .matchesCount", { hasText: "1 of" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("ArrowRight");
}

before(() => screenshots && mkdirSync(screenshots, { recursive: true }));

describe("a window", () => {
    let folder, page, doubting;

    before(() => {
        folder = code.workspace("window");
        const config = join(folder, "adapt.cntk");
        const text = readFileSync(config, "utf8");
        writeFileSync(join(folder, "broken.cntk"), text.replace("feat.L4_y", "feat.L4.y"));
    });

    after(() => doubting?.stop());

    afterEach(async function () {
        if (this.currentTest.state === "failed") await picture(page, `failed: ${this.currentTest.title}`);
        await page.context().close();
    });

    it("underlines a mistake and offers to mend it", async () => {
        page = await openFile(folder, "broken.cntk");
        await page.locator(".squiggly-error").first().waitFor({ timeout: 30_000 });
        await picture(page, "finding");
        await find(page, "feat.L4");
        await until(async () => {
            await page.keyboard.press("Control+.");
            await page
                .locator(".action-widget .monaco-list-row", { hasText: "L4_y" })
                .first()
                .waitFor({ timeout: 3000 });
            await picture(page, "fix");
        }, page);
        await page.keyboard.press("Enter");
        await page.locator(".squiggly-error").first().waitFor({ state: "detached" });
    });

    it("lists the nodes of a model that has not been trained", async () => {
        page = await openFile(folder, "adapt.cntk");
        await find(page, "(feat.");
        await until(async () => {
            await page.keyboard.press("Backspace");
            await page.keyboard.type(".");
            const row = page.locator(".suggest-widget.visible .monaco-list-row", { hasText: "L4_y" }).first();
            await row.waitFor({ timeout: 3000 });
        }, page);
        await picture(page, "completion");
        await page.keyboard.press("Escape");
    });

    it("explains an operation under the mouse", async () => {
        page = await openFile(folder, "adapt.cntk");
        await until(async () => {
            await page.mouse.move(0, 0);
            await page
                .locator(".view-line span span", { hasText: /^CrossEntropyWithSoftmax$/ })
                .first()
                .hover();
            await page
                .locator(".monaco-hover", { hasText: "CrossEntropyWithSoftmax" })
                .first()
                .waitFor({ timeout: 3000 });
        }, page);
        await picture(page, "hover");
    });

    it("draws the curves of a training", async () => {
        mkdirSync(join(folder, ".vscode"), { recursive: true });
        const settings = join(folder, ".vscode", "settings.json");
        writeFileSync(settings, JSON.stringify({ "brainscript.interpreter": python }));
        page = await openFile(folder, "classifier.cntk");
        await command(page, "BrainScript: Run Training");
        await pick(page, "All commands");
        const view = webview(page);
        await view.locator("li", { hasText: "Test: " }).waitFor({ timeout: 60_000 });
        assert.equal(await view.locator("canvas").count(), 2);
        assert.equal(await view.locator(".figures tr").count(), 13);
        await view.locator("button.stop").waitFor({ state: "hidden" });
        await picture(page, "curves");
        await page.locator(".panel .action-item", { hasText: "Problems" }).click();
        await page.locator(".panel .action-item", { hasText: "Training" }).click();
        await view.locator("td").first().waitFor(); // a page that was hidden is made anew
        writeFileSync(settings, "{}");
    });

    it("draws a network, and a click on a node leads to its line", async () => {
        page = await openFile(folder, "autoencoder.cntk");
        await command(page, "BrainScript: Show Network Graph");
        await pick(page, "Train");
        const node = webview(page).locator('g.node[data-name="L4.y"]');
        await node.waitFor({ timeout: 30_000 });
        await picture(page, "graph");
        await node.click();
        await page
            .locator(".editor-status-selection, #status\\.editor\\.selection", { hasText: "Ln 19" })
            .first()
            .waitFor();
    });

    it("says what to do where there is no Python", async () => {
        writeFileSync(
            join(folder, ".vscode", "settings.json"),
            JSON.stringify({ "brainscript.interpreter": "/nowhere/python" }),
        );
        page = await openFile(folder, "adapt.cntk");
        await page.locator(".statusbar-item.warning-kind").waitFor();
        await page.locator("#status\\.notifications").click(); // under test, messages do not pop up by themselves
        const message = page.locator(".notifications-center", { hasText: "there is no Python '/nowhere/python'" });
        await message.waitFor();
        await picture(page, "interpreter");
        await message.getByText("Open Setting").press("Enter"); // the mouse may be on a tooltip
        await page.locator(".settings-editor", { hasText: "Interpreter" }).waitFor();
    });

    it("runs nothing in a folder that is not trusted", async () => {
        const settings = { "brainscript.interpreter": "/nowhere/python" }; // which counts only where it is trusted
        writeFileSync(join(folder, ".vscode", "settings.json"), JSON.stringify(settings));
        doubting = await VSCode.start(vsix, python, { doubts: true });
        page = await openFile(folder, "broken.cntk", doubting);
        await page.locator(".squiggly-error").first().waitFor({ timeout: 30_000 });
        await picture(page, "untrusted");
        await page.locator(".editor-actions .action-label.codicon-play.disabled").waitFor();
    });
});
