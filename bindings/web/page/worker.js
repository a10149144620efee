// Opens one file with the library, and makes its downloads. A worker serves one file and is ended for the next.
import { initSync, Session } from "../target/engine.js";
import { Download } from "./download.js";

let session;
let file;
let lastTold = 0;

/** Tells the page how far the work is, a few times a second. */
function tell(doing, done) {
  const now = performance.now();
  if (now - lastTold < 80) return;
  lastTold = now;
  postMessage({ progress: { doing, done, total: file.size } });
}

const reader = new FileReaderSync();
const source = {
  bytes: 0,
  read(offset, length) {
    this.bytes += length;
    tell("Reading", this.bytes);
    return new Uint8Array(reader.readAsArrayBuffer(file.slice(offset, offset + length)));
  },
};

const work = {
  open({ module, file: opened, settings }) {
    file = opened;
    const { memory } = initSync({ module });
    const begin = performance.now();
    session = new Session(source, file.size, file.name, settings);
    const html = session.report();
    const complete = session.complete();
    const [read, milliseconds] = [source.bytes, performance.now() - begin];
    return { html, valid: session.valid(), complete, read, milliseconds, memory: memory.buffer.byteLength };
  },

  download({ target }) {
    const download = new Download(file, target, (done) => tell("Writing", done));
    const notes = session.download(target, download);
    const { name, blob } = download.finish();
    return { name, blob, notes: notes.split("\n").filter(Boolean) };
  },
};

onmessage = ({ data }) => {
  try {
    postMessage({ done: data.what, result: work[data.what](data) });
  } catch (error) {
    // A fault of the library leaves it in no state to go on: the page starts another worker.
    const fault = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
    postMessage({ failed: String(error?.message ?? error), fault });
  }
};
