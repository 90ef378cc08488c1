/** Documents have one library or two, of some megabytes; a larger one is loaded each time. */
const keptBytes = 64 * 1024 * 1024;

/** `WebAssembly.Memory`, as far as it is looked at: its buffer is another one after it grew. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** States of a WebAssembly memory, each with what the host knows of it. */
export interface Snapshots<T> {
  /**
   * Puts the memory back to the state `key`. Where there is none, `make` makes it in a memory as it was at first, and it is kept
   * if `isLasting` says so.
   */
  restore(key: string, make: () => T, isLasting: (made: T) => boolean): T;
}

interface Snapshot<T> {
  readonly bytes: Uint8Array;
  readonly value: T;
}

/** The memory as it is now is the first state: nothing in it may be in use later. */
export function createSnapshots<T>(memory: WasmMemory): Snapshots<T> {
  const first = copyUsed(memory);
  const kept = new Map<string, Snapshot<T>>();
  const makeRoom = (): void => {
    let size = kept.values().reduce((sum, { bytes }) => sum + bytes.length, 0);
    for (const [key, { bytes }] of kept) {
      if (size <= keptBytes) return;
      kept.delete(key);
      size -= bytes.length;
    }
  };
  return {
    restore(key, make, isLasting) {
      const known = kept.get(key);
      // Bytes behind the copy hold what came later; an allocator takes them for garbage.
      new Uint8Array(memory.buffer).set(known?.bytes ?? first);
      const value = known ? known.value : make();
      if (!known && !isLasting(value)) return value;
      const snapshot = known ?? { value, bytes: copyUsed(memory) };
      if (snapshot.bytes.length > keptBytes) return value;
      // The one used last is the last to go.
      kept.delete(key);
      kept.set(key, snapshot);
      makeRoom();
      return value;
    },
  };
}

const emptyPage = Buffer.alloc(64 * 1024);

/** Up to the last page that holds anything. */
function copyUsed({ buffer }: WasmMemory): Uint8Array {
  const bytes = Buffer.from(buffer);
  const { length } = emptyPage;
  let end = bytes.length;
  while (end > 0 && bytes.compare(emptyPage, 0, length, end - length, end) === 0) end -= length;
  return Uint8Array.prototype.slice.call(bytes, 0, end);
}
