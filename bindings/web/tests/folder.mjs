// `node folder.mjs FOLDER...`: the page against the program for every file in folders: the same verdict and findings as `validate`,
// the same ONNX as `convert`, or a refusal where it refuses.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { download, launch, open, tool, visit } from "./page.mjs";

const work = mkdtempSync(join(tmpdir(), "cntk2onnx-folder-"));
const out = join(work, "a.onnx");
const browser = await launch();
const counts = { files: 0, valid: 0, refused: 0, converted: 0, "not converted": 0 };
const wrong = [];

for (const folder of process.argv.slice(2)) {
  const { page, faults, strangers, context } = await visit(browser);
  const files = readdirSync(folder).filter((name) => !/\.(json|npz|md|txt|csv)$/.test(name));
  for (const name of files) {
    const path = join(folder, name);
    const difference = await compare(page, path).catch((error) => `fault: ${error.message.split("\n")[0]}`);
    if (difference) wrong.push(`${path}: ${difference}`);
  }
  for (const fault of [...faults, ...strangers()]) wrong.push(`${folder}: ${fault}`);
  await context.close();
}
await browser.close();
rmSync(work, { recursive: true });
console.log(JSON.stringify(counts));
for (const line of wrong) console.log(line);
console.log(`${counts.files - wrong.length} passed, ${wrong.length} failed`);
process.exit(wrong.length > 0 ? 1 : 0);

async function compare(page, path) {
  counts.files += 1;
  const { valid, text } = await open(page, path);
  const checked = spawnSync(tool(), ["validate", "--format", "json", path], { encoding: "utf8", maxBuffer: 1 << 28 });
  if (valid !== (checked.status === 0)) return `the page says ${text}, the program ${checked.status}`;
  counts[valid ? "valid" : "refused"] += 1;
  const { findings } = JSON.parse(checked.stdout).files[0];
  const shown = await page.locator(".findings > li").count();
  if (shown !== findings.length) return `${shown} findings, the program has ${findings.length}`;
  if (!valid) return (await page.locator("#downloads").isVisible()) ? "a refused model can be downloaded" : undefined;
  const mine = await download(page, "onnx");
  const { status } = spawnSync(tool(), ["convert", "-q", "--force", path, "-o", out]);
  if ((status === 0) !== (mine.bytes !== undefined)) return `download: ${mine.refused}, the program ${status}`;
  counts[status === 0 ? "converted" : "not converted"] += 1;
  return status === 0 && !mine.bytes.equals(readFileSync(out)) ? "other bytes" : undefined;
}
