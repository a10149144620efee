// The page: takes a file, has a worker look at it, shows the report, offers downloads.

const $ = (id) => document.getElementById(id);
const worker = { code: $("worker").textContent, current: undefined, opened: false };
const engine = compile($("engine").textContent);
let file;

/** The library, compiled once for all workers. */
async function compile(text) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compile(await new Response(unpacked).arrayBuffer());
}

/** Begins anew with a file. */
async function open(chosen) {
  file = chosen;
  document.body.classList.add("opened");
  end();
  $("downloads").hidden = true;
  clear($("notes"));
  say("");
  busy("Reading", 0);
  await start();
}

/** A worker that opens the file and then does what is asked next. */
async function start(next) {
  const url = URL.createObjectURL(new Blob([worker.code], { type: "text/javascript" }));
  const mine = (worker.current = new Worker(url));
  URL.revokeObjectURL(url);
  mine.onmessage = ({ data }) => mine === worker.current && hear(data, next);
  mine.onerror = (event) => mine === worker.current && failed(event.message || "the worker could not be started", true);
  try {
    const module = await engine;
    if (mine === worker.current) mine.postMessage({ what: "open", module, file, settings: settings() });
  } catch (error) {
    failed(`this browser cannot run the library: ${error.message}`, true);
  }
}

function hear({ progress, done, result, failed: why, fault }, next) {
  if (progress) return busy(progress.doing, progress.done, progress.total);
  if (why !== undefined) return failed(why, fault);
  if (done === "download") return save(result);
  worker.opened = true;
  if (next) return worker.current.postMessage(next);
  idle();
  show(result);
}

/** Shows a report. What it holds of the file was escaped by the library. */
function show({ html, valid, complete, read, milliseconds, memory }) {
  const report = $("report");
  report.innerHTML = html;
  Object.assign(report.dataset, { read, milliseconds: Math.round(milliseconds), memory });
  globalThis.cntk2onnxReport?.(report);
  $("downloads").hidden = !valid;
  document.title = `${file.name} – cntk2onnx`;
  const part = `Checked in ${duration(milliseconds)}, of ${size(file.size)} only ${size(read)} were read: `
    + "the verdict does not depend on the other weights.";
  say(complete ? `Checked in ${duration(milliseconds)}.` : part);
}

async function download(target) {
  clear($("notes"));
  say("");
  busy("Converting", 0);
  const message = { what: "download", target };
  if (worker.opened) worker.current.postMessage(message);
  else await start(message);
}

function save({ name, blob, notes }) {
  idle();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say(`${name}: ${size(blob.size)}.`);
  list(notes);
}

/** Work that came to nothing. */
function failed(message, fault) {
  if (fault || !worker.opened) end();
  idle();
  const [first, ...rest] = String(message).split("\n");
  say(fault ? `The page ran into a fault of its own: ${first}` : `This did not work: ${first}`);
  list(rest);
}

/** Ends the worker, and with it all that it holds. */
function end() {
  worker.current?.terminate();
  worker.current = undefined;
  worker.opened = false;
}

function settings() {
  const lines = [];
  for (const field of $("settings").elements) {
    if (!field.name) continue;
    lines.push(`${field.name}=${field.type === "checkbox" ? (field.checked ? "yes" : "no") : field.value}`);
  }
  return lines.join("\n");
}

function busy(doing, done, total) {
  $("work").hidden = false;
  setDownloads(false);
  const progress = $("progress");
  if (total) Object.assign(progress, { max: total, value: Math.min(done, total) });
  else progress.removeAttribute("value");
  $("doing").textContent = total ? `${doing} ${size(done)}` : doing;
}

function idle() {
  $("work").hidden = true;
  setDownloads(true);
}

function setDownloads(enabled) {
  for (const button of $("downloads").children) button.disabled = !enabled;
}

function say(text) {
  $("message").textContent = text;
}

function list(lines) {
  const notes = $("notes");
  clear(notes);
  for (const line of lines) notes.append(Object.assign(document.createElement("li"), { textContent: line }));
  notes.hidden = lines.length === 0;
}

function clear(element) {
  element.replaceChildren();
  element.hidden = true;
}

function duration(milliseconds) {
  return milliseconds < 1000 ? `${Math.max(1, Math.round(milliseconds))} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  const power = Math.min(3, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${["", "kB", "MB", "GB"][power]}`;
}

$("file").addEventListener("change", ({ target }) => target.files[0] && open(target.files[0]));
$("stop").addEventListener("click", () => {
  end();
  idle();
  say("Stopped.");
});
$("downloads").addEventListener("click", ({ target }) => target.dataset.target && download(target.dataset.target));
$("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  if (file) open(file);
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  $("drop").classList.add("over");
});
addEventListener("dragleave", (event) => event.relatedTarget === null && $("drop").classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
});
