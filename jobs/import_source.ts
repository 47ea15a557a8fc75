/** A file to import, or standard input: bytes that can be read more than once, as text. */
import { Refusal } from "../core/refusal.ts";

/** The name of standard input among the files. */
export const STANDARD_INPUT = "-";

/** Small pieces die young: with 256 KB the program takes a fifth more memory and time. */
const PIECE = 64 * 1024;

/** An opened file. */
export class ImportSource {
  readonly #file: Deno.FsFile;
  /** Where the spooled copy still lies, on systems that cannot unlink an open file. */
  readonly #leftover: string | null;

  private constructor(
    readonly name: string,
    readonly size: number,
    file: Deno.FsFile,
    leftover: string | null,
  ) {
    this.#file = file;
    this.#leftover = leftover;
  }

  /** Opens a file, or spools what can be read only once into a temporary one. */
  static async open(path: string): Promise<ImportSource> {
    if (path === STANDARD_INPUT) {
      return await ImportSource.#spool("standard input", Deno.stdin.readable);
    }
    try {
      const file = await Deno.open(path);
      const { isFile, isDirectory, size } = await file.stat();
      if (isDirectory) throw new Deno.errors.IsADirectory("It is a folder");
      return isFile
        ? new ImportSource(path, size, file, null)
        : await ImportSource.#spool(path, file.readable);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      const reason = error instanceof Deno.errors.NotFound
        ? "There is no such file"
        : error instanceof Error
        ? error.message
        : String(error);
      throw new Refusal("not_found", `Cannot read "${path}": ${reason}`);
    }
  }

  static async #spool(name: string, input: ReadableStream<Uint8Array>): Promise<ImportSource> {
    const path = await Deno.makeTempFile({ prefix: "adstrata-import-" });
    const file = await Deno.open(path, { read: true, write: true });
    // Unlinked at once, so that nothing stays behind however the program ends.
    const leftover = await Deno.remove(path).then(() => null, () => path);
    await input.pipeTo(file.writable, { preventClose: true });
    const { size } = await file.stat();
    return new ImportSource(name, size, file, leftover);
  }

  /**
   * The text from its beginning, unpacked and without a byte order mark.
   *
   * @param onRead Called with the number of bytes of the file read so far.
   */
  async *text(onRead: (bytes: number) => void = () => {}): AsyncGenerator<string> {
    const { bytes, rest } = await this.#start();
    if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
      throw new Refusal(
        "invalid_parameter",
        `"${this.name}" is a spreadsheet or a zip archive, not CSV`,
        "Export it as CSV, or unpack it first",
      );
    }
    let decoder: TextDecoder | undefined;
    try {
      const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
      const raw = this.#bytes(bytes, rest, onRead);
      const unpacked = isGzip
        ? ReadableStream.from(raw).pipeThrough(new DecompressionStream("gzip"))
        : raw;
      for await (const piece of unpacked) {
        decoder ??= decoderFor(piece);
        yield decoder.decode(piece, { stream: true });
      }
      yield decoder?.decode() ?? "";
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new Refusal(
        "invalid_parameter",
        `"${this.name}" is damaged or not text in UTF-8`,
        'Export it again, or save it as "CSV UTF-8"',
      );
    }
  }

  async #start(): Promise<{ bytes: Uint8Array<ArrayBuffer>; rest: boolean }> {
    await this.#file.seek(0, Deno.SeekMode.Start);
    const piece = new Uint8Array(PIECE);
    const length = await this.#file.read(piece);
    return { bytes: piece.subarray(0, length ?? 0), rest: length !== null };
  }

  async *#bytes(
    first: Uint8Array<ArrayBuffer>,
    rest: boolean,
    onRead: (bytes: number) => void,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    let total = first.length;
    yield first;
    while (rest) {
      onRead(total);
      const piece = new Uint8Array(PIECE);
      const length = await this.#file.read(piece);
      if (length === null) return;
      total += length;
      yield piece.subarray(0, length);
    }
  }

  /** Closes it; what was spooled is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#file.close();
    if (this.#leftover) await Deno.remove(this.#leftover);
  }
}

/** Spreadsheets also save UTF-16, which starts with its byte order mark; everything else is UTF-8. */
function decoderFor(start: Uint8Array): TextDecoder {
  const mark = (start[0] ?? 0) << 8 | (start[1] ?? 0);
  const encoding = mark === 0xfffe ? "utf-16le" : mark === 0xfeff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding, { fatal: true });
}
