// Writes dist/index.html: one file with everything in it, which works from any address, file:// included.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = (path) => new URL(path, import.meta.url);
const text = (path) => readFileSync(here(path), "utf8");
const hash = (code) => `'sha256-${createHash("sha256").update(code).digest("base64")}'`;

async function bundle(entry) {
  const options = { bundle: true, write: false, minify: true, format: "iife", target: "es2022", charset: "utf8" };
  const { outputFiles } = await build({ ...options, entryPoints: [here(entry).pathname] });
  return outputFiles[0].text;
}

async function minified(contents) {
  const options = { write: false, minify: true, charset: "utf8" };
  return (await build({ ...options, stdin: { contents, loader: "css" } })).outputFiles[0].text;
}

const wasm = readFileSync(here("target/engine_bg.wasm"));
const library = await import(here("target/engine.js"));
library.initSync({ module: wasm });

const limits = library.limits().split("\n").map((line) => line.split("\t")).map(([name, value, meaning]) =>
  `<label>${name.replace("-", " ")} <input type="number" name="${name}" min="0" value="${value}" required> <small>${meaning}</small></label>`);
const opsets = Array.from({ length: 9 }, (_, i) => i + 13).map((n) => `<option${n === 17 ? " selected" : ""}>${n}</option>`);
const style = await minified(`${library.style()}\n${text("page/page.css")}`);
const script = `${library.script()}\n${await bundle("page/page.js")}`;
const policy = [
  "default-src 'none'",
  `script-src ${hash(script)} 'wasm-unsafe-eval'`,
  `style-src ${hash(style)}`,
  "worker-src blob:",
  "img-src data:",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
const parts = {
  policy, style, script, opsets: opsets.join(""), limits: limits.join("\n"), version: library.version(),
  worker: await bundle("page/worker.js"),
  engine: gzipSync(wasm, { level: 9 }).toString("base64"),
};
const page = text("page/index.html").replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name]);

mkdirSync(here("dist"), { recursive: true });
writeFileSync(here("dist/index.html"), page);
const kilobytes = (n) => `${Math.round(n / 1000)} kB`;
console.log(`dist/index.html: ${kilobytes(page.length)}, compressed ${kilobytes(gzipSync(page, { level: 9 }).length)}`);
