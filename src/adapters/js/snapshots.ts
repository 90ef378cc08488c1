/** Documents have one library or two; each is kept with the megabytes of memory that it needs. */
const keptSnapshots = 4;

/** `WebAssembly.Memory`, as far as it is looked at: its buffer is another one after it grew. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** States of a WebAssembly memory, each with what the host knows of it. */
export interface Snapshots<T> {
  /** Puts the memory back to the state `key`, which `make` makes in a memory as it was at first, where there is none. */
  restore(key: string, make: () => T): T;
}

interface Snapshot<T> {
  readonly bytes: Uint8Array;
  readonly value: T;
}

/** The memory as it is now is the first state: nothing in it may be in use later. */
export function createSnapshots<T>(memory: WasmMemory): Snapshots<T> {
  const first = copyUsed(memory);
  const kept = new Map<string, Snapshot<T>>();
  return {
    restore(key, make) {
      const known = kept.get(key);
      // Bytes behind the copy hold what came later; an allocator takes them for garbage.
      new Uint8Array(memory.buffer).set(known?.bytes ?? first);
      const snapshot = known ?? takeAfter(make, memory);
      kept.delete(key);
      kept.set(key, snapshot);
      const [oldest] = kept.keys();
      if (kept.size > keptSnapshots && oldest !== undefined) kept.delete(oldest);
      return snapshot.value;
    },
  };
}

function takeAfter<T>(make: () => T, memory: WasmMemory): Snapshot<T> {
  const value = make();
  return { value, bytes: copyUsed(memory) };
}

/** Up to the last byte that is not zero. */
function copyUsed({ buffer }: WasmMemory): Uint8Array {
  const bytes = new Uint8Array(buffer);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.slice(0, end);
}
