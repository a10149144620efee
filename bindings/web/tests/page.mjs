// A browser with the page in it, for the tests.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const here = (path) => fileURLToPath(new URL(path, import.meta.url));
export const corpus = (path) => here(`../../../corpus/${path}`);
const page_url = new URL("../dist/index.html", import.meta.url).href;

const executablePath = process.env.CHROMIUM
  ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
/** How the workspace was built: the profile of `cargo test`. */
const profile = process.env.PROFILE ?? "fast";
/** The program that the page must agree with. */
const program = process.env.CNTK2ONNX ?? here(`../../../target/${profile === "dev" ? "debug" : profile}/cntk2onnx`);

export function launch() {
  if (!executablePath) throw new Error("there is no Chromium: install one, or name it in CHROMIUM");
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

export function tool() {
  if (!existsSync(program)) throw new Error(`${program} is not built; or name it in CNTK2ONNX`);
  return program;
}

/** A model of so many megabytes, nearly all of it weights. */
export function makeLarge(megabytes, path) {
  const cargo = ["run", "--quiet", "--locked", "--profile", profile, "-p", "cntk2onnx-web", "--example", "large", "--"];
  execFileSync("cargo", [...cargo, String(megabytes), path], { cwd: here("."), stdio: "inherit" });
}

/** The page from its file, in a context of its own. Whatever it tries to load and whatever goes wrong on it is noted. */
export async function visit(browser, options = {}) {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  const page = await context.newPage();
  const [requests, faults] = [[], []];
  context.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  await page.goto(page_url);
  const own = (url) => url === page_url || url.startsWith("blob:") || url.startsWith("data:");
  return { page, context, faults, strangers: () => requests.filter((url) => !own(url)) };
}

/** Opens a file, and waits for its report. Gives the verdict: its class, and its words. */
export async function open(page, path) {
  await page.evaluate(() => document.getElementById("report").replaceChildren());
  await page.setInputFiles("#file", []);
  await page.setInputFiles("#file", path);
  await page.waitForSelector("#verdict", { timeout: 120_000 });
  const verdict = page.locator("#verdict");
  const word = (await verdict.getAttribute("class")).replace("verdict", "").trim();
  return { word, text: await verdict.innerText(), valid: word === "safe" || word === "warned" };
}

/** Presses the button of a download. Gives the bytes, or what the page says instead. */
export async function download(page, target) {
  await page.evaluate(() => (document.getElementById("message").textContent = ""));
  const arrives = page.waitForEvent("download", { timeout: 120_000 });
  arrives.catch(() => {});
  await page.click(`#download-${target}`);
  const says = page.waitForFunction(() => /did not work|fault/.test(document.getElementById("message").textContent), null, {
    timeout: 120_000,
  });
  says.catch(() => {});
  const first = await Promise.race([arrives, says.then(() => undefined)]);
  if (!first) return { refused: `${await page.innerText("#message")}\n${await page.innerText("#notes")}` };
  return { name: first.suggestedFilename(), bytes: readFileSync(await first.path()) };
}
