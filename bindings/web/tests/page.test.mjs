// The page in a real browser: verdicts, pictures, downloads; nothing leaves it, and nothing in a file gets through.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { unzipSync } from "fflate";
import { corpus, download, here, launch, makeLarge, open, tool, visit } from "./page.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const work = mkdtempSync(join(tmpdir(), "cntk2onnx-page-"));
const large = join(work, "large.model");
let browser;

before(async () => {
  makeLarge(160, large);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  rmSync(work, { recursive: true });
});

/** One or more models of every kind: convnets, loops, attention, sequences, double, half, the layout above 2 GB, CNTK 1. */
const MODELS = [
  "zoo/alexnet_small.model", "zoo/densenet_small.model", "zoo/inception_v1.model", "zoo/gru_tagger.model",
  "zoo/float16_cast.model", "zoo/float64_recurrent.model", "zoo/large_layout_convnet.model", "zoo/resnet_bottleneck.model",
  "v1/v1_mlp_12.model", "v1/fastrcnn_roipool.model", "v1/transfer_cloned.model", "zoo/logreg_101.model",
];

test("models: verdict, picture, and the very bytes that the program writes", async () => {
  const { page, faults, strangers, context } = await visit(browser);
  for (const name of MODELS) {
    const path = corpus(name);
    const verdict = await open(page, path);
    assert.ok(verdict.valid, `${name}: ${verdict.text}`);
    assert.ok(await page.locator("#picture svg").first().isVisible(), `${name}: no picture`);
    const onnx = await download(page, "onnx");
    assert.ok(onnx.bytes, `${name}: ${onnx.refused}`);
    const out = join(work, "model.onnx");
    execFileSync(tool(), ["convert", "-q", "--force", path, "-o", out]);
    assert.ok(onnx.bytes.equals(readFileSync(out)), `${name}: other bytes`);
    assert.equal(onnx.name, name.replace(/^.*\//, "").replace(".model", ".onnx"));
  }
  assert.deepEqual([faults, strangers()], [[], []]);
  await context.close();
});

test("the PyTorch folder and the weights are the program's, too", async () => {
  const { page, context } = await visit(browser);
  const path = corpus("zoo/alexnet_small.model");
  await open(page, path);
  const zip = await download(page, "pytorch");
  const folder = join(work, "alexnet_small_pytorch");
  execFileSync(tool(), ["convert", "-q", "--to", "pytorch", path, "-o", folder]);
  const files = unzipSync(zip.bytes);
  const names = readdirSync(folder).map((name) => `alexnet_small_pytorch/${name}`).sort();
  assert.equal(zip.name, "alexnet_small_pytorch.zip");
  assert.deepEqual(Object.keys(files).sort(), names);
  for (const name of names) assert.ok(readFileSync(join(work, name)).equals(files[name]), name);
  const weights = await download(page, "safetensors");
  const out = join(work, "a.safetensors");
  execFileSync(tool(), ["convert", "-q", "--to", "safetensors", path, "-o", out]);
  assert.ok(readFileSync(out).equals(weights.bytes));
  await context.close();
});

test("bad and hostile files are refused as by the program, and the page lives on", async () => {
  const { page, faults, strangers, context } = await visit(browser);
  const all = readdirSync(corpus("hostile")).filter((name) => name.endsWith(".model"));
  // Every fifth, all whose names try to be something else, and one without outputs.
  const some = all.filter((name, i) => i % 5 === 0 || /name|script|html|markup|bidi|udf|no_outputs/.test(name));
  assert.ok(some.length > 50);
  for (const name of some) {
    const path = corpus(`hostile/${name}`);
    const { valid, text } = await open(page, path);
    const { status, stdout } = spawnSync(tool(), ["validate", "--format", "json", path], { encoding: "utf8" });
    assert.equal(valid, status === 0, `${name}: ${text}`);
    const findings = JSON.parse(stdout).files[0].findings.length;
    assert.equal(await page.locator(".findings > li").count(), findings, name);
    assert.equal(await page.locator("#downloads").isVisible(), valid, name);
  }
  assert.ok((await open(page, corpus("zoo/logreg_101.model"))).valid);
  assert.deepEqual([faults, strangers()], [[], []]);
  await context.close();
});

test("names are text, never markup", async () => {
  const { page, faults, strangers, context } = await visit(browser);
  const names = ["<img src=x onerror=alert(1)>.model", "\u202e<script>alert(1)<\u2044script>.model"];
  for (const name of names) {
    await page.setInputFiles("#file", { name, mimeType: "", buffer: readFileSync(corpus("zoo/logreg_101.model")) });
    await page.waitForSelector("#verdict");
    await page.waitForFunction((name) => document.title.startsWith(name), name);
    assert.equal(await page.locator("#report img, #report script, #report iframe, #report a[href^='javascript']").count(), 0);
  }
  assert.deepEqual([faults, strangers()], [[], []]);
  await context.close();
});

test("what is not a model is named", async () => {
  const { page, context } = await visit(browser);
  const kinds = { "a.html": ["<!DOCTYPE html><html></html>", /html/i], "b.model": ["", /empty/i], "c.zip": ["PK\x03\x04aaaa", /zip/i] };
  for (const [name, [content, word]] of Object.entries(kinds)) {
    const path = join(work, name);
    writeFileSync(path, content);
    assert.equal((await open(page, path)).word, "foreign");
    assert.match(await page.innerText("#report"), word);
  }
  await context.close();
});

test("nothing can be sent from the page", async () => {
  const { page, context } = await visit(browser);
  const reached = await page.evaluate(async () => {
    const tries = [() => fetch("https://example.org/"), () => fetch("data:,x"), () => import("data:text/javascript,1")];
    const results = await Promise.allSettled(tries.map((attempt) => attempt()));
    return results.filter((result) => result.status === "fulfilled").length;
  });
  assert.equal(reached, 0);
  assert.match(await page.locator("meta[http-equiv]").getAttribute("content"), /default-src 'none'.*connect-src 'none'/);
  await context.close();
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing (${colorScheme})`, async () => {
    // Axe is no part of the page, so the page's policy has to let it in.
    const { page, context } = await visit(browser, { colorScheme, bypassCSP: true });
    const check = async (what) => {
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).slice(0, 3).join("; ")}`);
      assert.deepEqual(found, [], what);
    };
    await page.click(".settings summary");
    await check("before a file");
    for (const name of ["zoo/alexnet_small.model", "zoo/gru_tagger.model", "hostile/udf_native_path.model"]) {
      await open(page, corpus(name));
      await check(name);
    }
    await context.close();
  });
}

test("the keyboard is enough", async () => {
  const { page, context } = await visit(browser);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "file");
  await open(page, corpus("zoo/alexnet_small.model"));
  await page.focus("#download-onnx");
  const arrives = page.waitForEvent("download");
  await page.keyboard.press("Enter");
  assert.equal((await arrives).suggestedFilename(), "alexnet_small.onnx");
  await context.close();
});

test("a file can be dropped", async () => {
  const { page, faults, context } = await visit(browser);
  const bytes = [...readFileSync(corpus("zoo/logreg_101.model"))];
  await page.evaluate((bytes) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([new Uint8Array(bytes)], "dropped.model"));
    document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  }, bytes);
  await page.waitForSelector("#verdict.safe");
  assert.match(await page.innerText("#report h1"), /dropped.model/);
  // Stopped, and asked again: another worker opens the file.
  await page.evaluate(() => {
    document.getElementById("download-pytorch").click();
    document.getElementById("stop").click();
  });
  assert.equal(await page.innerText("#message"), "Stopped.");
  assert.equal((await download(page, "onnx")).name, "dropped.onnx");
  assert.deepEqual(faults, []);
  await context.close();
});

test("settings reach the library", async () => {
  const { page, context } = await visit(browser);
  const path = corpus("zoo/alexnet_small.model");
  await page.click(".settings summary");
  await page.fill("input[name=functions]", "1");
  assert.equal((await open(page, path)).valid, false);
  await page.click("button[type=reset]");
  await page.selectOption("select[name=opset]", "21");
  await open(page, path);
  const out = join(work, "o21.onnx");
  execFileSync(tool(), ["convert", "-q", "--opset", "21", path, "-o", out]);
  assert.ok((await download(page, "onnx")).bytes.equals(readFileSync(out)));
  await context.close();
});

test("work can be stopped, and begun again", async () => {
  const { page, context } = await visit(browser);
  await page.click(".settings summary");
  await page.check("input[name=weights]");
  // Stops when the first bytes are read.
  await page.evaluate(() => {
    const doing = document.getElementById("doing");
    const stop = () => /\d/.test(doing.textContent) && document.getElementById("stop").click();
    new MutationObserver(stop).observe(doing, { childList: true, subtree: true, characterData: true });
  });
  await page.setInputFiles("#file", large);
  await page.waitForFunction(() => document.getElementById("message").textContent === "Stopped.");
  assert.equal(await page.locator("#verdict").count(), 0);
  assert.equal(await page.locator("#work").isVisible(), false);
  await page.reload();
  assert.ok((await open(page, corpus("zoo/logreg_101.model"))).valid);
  await context.close();
});

test("a large model: its weights are not read, and the verdict and the download are the program's", async () => {
  const { page, context } = await visit(browser);
  const { valid, text } = await open(page, large);
  assert.ok(valid, text);
  const { read } = await page.locator("#report").evaluate((report) => ({ ...report.dataset }));
  assert.ok(Number(read) < 20e6, `${read} bytes were read`);
  assert.ok(await page.locator("#picture svg").first().isVisible());
  const out = join(work, "large.onnx");
  execFileSync(tool(), ["convert", "-q", large, "-o", out]);
  assert.ok((await download(page, "onnx")).bytes.equals(readFileSync(out)));
  await context.close();
});

test("the page is small", () => {
  const path = here("../dist/index.html");
  assert.ok(statSync(path).size <= 3e6);
  assert.ok(gzipSync(readFileSync(path), { level: 9 }).length <= 1e6);
});
