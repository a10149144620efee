// The files of a download, put together from what the library writes and from slices of the model's file.
import { Zip, ZipDeflate, ZipPassThrough } from "fflate";

/** Bytes that are gathered before they become a Blob, which a browser may keep on its disk. */
const GATHERED = 16 << 20;
/** How much of the model is read at once where its bytes are needed. */
const SLICE = 8 << 20;
/** The same model gives the same archive. */
const NO_DATE = new Date(1980, 0, 1);

export class Download {
  constructor(file, target, tell) {
    this.model = file;
    this.target = target;
    this.tell = tell;
    this.parts = [];
    this.gathered = [];
    this.bytes = 0;
    this.waiting = 0;
    if (target === "pytorch") {
      this.zip = new Zip((error, chunk) => {
        if (error) throw error;
        this.add(chunk);
      });
    }
  }

  /** Called by the library: what follows is a file of this name. */
  file(name) {
    this.endEntry();
    if (!this.zip) return;
    const text = /\.(py|json)$/.test(name);
    const path = `${packageName(stem(this.model.name))}/${name}`;
    this.entry = text ? new ZipDeflate(path, { level: 9 }) : new ZipPassThrough(path);
    this.entry.mtime = NO_DATE;
    this.zip.add(this.entry);
  }

  /** Called by the library with a view of its memory, so the bytes are copied. */
  write(bytes) {
    this.push(bytes.slice());
  }

  /** Called by the library for bytes that stay as they are in the model's file. */
  copy(offset, length) {
    if (!this.zip) {
      this.flush();
      this.parts.push(this.model.slice(offset, offset + length));
      this.advance(length);
      return;
    }
    const reader = new FileReaderSync();
    for (let at = offset; at < offset + length; at += SLICE) {
      const end = Math.min(at + SLICE, offset + length);
      this.push(new Uint8Array(reader.readAsArrayBuffer(this.model.slice(at, end))));
    }
  }

  /** The whole, and what it should be called. */
  finish() {
    this.endEntry();
    this.zip?.end();
    this.flush();
    const name = stem(this.model.name);
    const names = { onnx: `${name}.onnx`, pytorch: `${packageName(name)}.zip`, safetensors: `${name}.safetensors` };
    return { name: names[this.target], blob: new Blob(this.parts, { type: "application/octet-stream" }) };
  }

  push(bytes) {
    if (this.entry) this.entry.push(bytes);
    else this.add(bytes);
    this.advance(bytes.length);
  }

  advance(length) {
    this.bytes += length;
    this.tell(this.bytes);
  }

  endEntry() {
    this.entry?.push(new Uint8Array(), true);
    this.entry = undefined;
  }

  add(bytes) {
    this.gathered.push(bytes);
    this.waiting += bytes.length;
    if (this.waiting >= GATHERED) this.flush();
  }

  flush() {
    if (this.waiting > 0) this.parts.push(new Blob(this.gathered));
    this.gathered = [];
    this.waiting = 0;
  }
}

/** A file's name without its extension. */
function stem(name) {
  return name.replace(/(?<=.)\.[^.]*$/, "");
}

/** A name that Python imports, as the program gives it. */
function packageName(name) {
  const letters = name.replace(/[^\p{Alphabetic}\p{N}]/gu, "_");
  return `${/^\p{N}/u.test(letters) ? "_" : ""}${letters}_pytorch`;
}
