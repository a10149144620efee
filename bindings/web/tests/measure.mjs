// `node measure.mjs [MODEL]`: how long the page takes for a large model (one of 513 MB is made), and how much memory.
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, makeLarge, open, visit } from "./page.mjs";

const work = mkdtempSync(join(tmpdir(), "cntk2onnx-measure-"));
const path = process.argv[2] ?? join(work, "large.model");
if (!process.argv[2]) makeLarge(513, path);

const browser = await launch();
const { page } = await visit(browser);
const system = await browser.newBrowserCDPSession();

/** The most memory that any renderer process has had, in MB; the tab's workers are threads of one. */
async function peak() {
  const { processInfo } = await system.send("SystemInfo.getProcessInfo");
  const peaks = processInfo.filter(({ type }) => type === "renderer")
    .map(({ id }) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, "utf8"))[1]) / 1e3);
  return Math.max(...peaks);
}

const before = await peak();
const begin = performance.now();
const { text } = await open(page, path);
const drawn = await page.locator("#picture svg").count();
const seconds = (performance.now() - begin) / 1e3;
const { read, milliseconds } = await page.locator("#report").evaluate((report) => ({ ...report.dataset }));
console.log(`${statSync(path).size / 1e6} MB: ${text.split("\n")[0]}, ${drawn} picture`);
console.log(`${seconds.toFixed(2)} s to see it, ${milliseconds} ms of them in the worker, ${read / 1e6} MB read`);
console.log(`memory of the tab's process: ${before.toFixed(0)} MB before, at most ${(await peak()).toFixed(0)} MB`);
await browser.close();
rmSync(work, { recursive: true });
