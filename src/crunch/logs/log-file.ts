import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crunchError } from '../errors.ts';

const spillBytes = 64 * 1024;
const spillAfterMs = 200;

/** What a log file came to: small ones never touch the disk. */
export type FinishedLog =
  | { readonly kind: 'memory'; readonly name: string; readonly content: Uint8Array }
  | { readonly kind: 'disk'; readonly name: string; readonly path: string };

/**
 * One file of a container's log. Bytes are held for at most 200 ms or 64 KiB and then appended to the live file, where
 * `logs -f` reads them; a log that ends sooner is never written there. After a crash the live file ends at a chunk's end.
 */
export class LogFile {
  readonly name: string;
  readonly #path: string;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #handle: FileHandle | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown;
  #closed = false;

  constructor(name: string, path: string) {
    this.name = name;
    this.#path = path;
  }

  /** True once the live file exists. */
  get spilled(): boolean {
    return this.#handle !== undefined || this.#closed;
  }

  /** A promise means: wait before the next call. A full disk rejects here or in `finish`. */
  append(parts: readonly Uint8Array[]): Promise<void> | undefined {
    for (const part of parts) {
      this.#held.push(part);
      this.#heldBytes += part.length;
    }
    if (this.#heldBytes >= spillBytes) return this.spill();
    if (!this.#timer && this.#heldBytes > 0) {
      this.#timer = setTimeout(() => this.spill().catch(() => {}), spillAfterMs);
    }
    return undefined;
  }

  /** Makes everything written so far visible in the live file. */
  spill(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const chunks = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    this.#writing = this.#writing.then(() => this.#write(chunks));
    this.#writing.catch(() => {});
    return this.#writing;
  }

  /** Ends the writing. An empty log is `undefined`. */
  async finish(): Promise<FinishedLog | undefined> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#writing;
    if (!this.#handle) {
      if (this.#heldBytes === 0) return undefined;
      return { kind: 'memory', name: this.name, content: Buffer.concat(this.#held) };
    }
    await this.spill();
    return { kind: 'disk', name: this.name, path: this.#path };
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing.catch(() => {});
    if (this.#handle) this.#closed = true;
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (chunks.length === 0) return;
    try {
      this.#handle ??= await this.#open();
      await this.#handle.appendFile(Buffer.concat(chunks));
    } catch (cause) {
      const isFull = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
      this.#failure = crunchError(
        'crunch/log-failed',
        `${isFull ? 'no space left to write' : 'cannot write'} the log ${this.#path}`,
        { cause, ...(isFull && { hint: 'free some space, or set HALLMARK_HOME to a larger disk' }) },
      );
      throw this.#failure;
    }
  }

  async #open(): Promise<FileHandle> {
    await mkdir(dirname(this.#path), { recursive: true });
    return open(this.#path, 'a', 0o600);
  }
}
