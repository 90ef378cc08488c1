import type { Process } from '../cwl/model.ts';
import { type FileObject, isFileObject } from './file-objects.ts';

/**
 * A process with every File and Directory that its text names (defaults, InitialWorkDirRequirement, build contexts) replaced: so
 * that the caller can store the host's files in Keep before anything runs. Processes that are one object stay one.
 */
export async function mapProcessFiles(
  process: Process,
  map: (object: FileObject) => Promise<FileObject>,
): Promise<Process> {
  const known = new Map<object, Promise<unknown>>();
  const visit = (value: unknown): Promise<unknown> => {
    if (typeof value !== 'object' || value === null) return Promise.resolve(value);
    const done = known.get(value);
    if (done) return done;
    const mapped = isFileObject(value) ? map(value) : visitInner(value);
    known.set(value, mapped);
    return mapped;
  };
  const visitInner = async (value: object): Promise<unknown> => {
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      for (const item of value) items.push(await visit(item));
      return items.some((item, i) => item !== value[i]) ? items : value;
    }
    const changed: [string, unknown][] = [];
    for (const [key, item] of Object.entries(value)) {
      const mapped = await visit(item);
      if (mapped !== item) changed.push([key, mapped]);
    }
    return changed.length === 0 ? value : { ...value, ...Object.fromEntries(changed) };
  };
  return (await visit(process)) as Process;
}
