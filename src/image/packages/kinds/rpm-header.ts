/** Tags of an RPM header that name a package (rpm's `rpmtag.h`). */
const tags = { name: 1000, version: 1001, release: 1002, epoch: 1003, arch: 1022, sourceRpm: 1044 } as const;

export type RpmHeader = { readonly [tag in keyof typeof tags]?: string };

const intType = 4;
const textTypes = new Set([6, 8, 9]);
const entryBytes = 16;

/**
 * The header of a package as the database keeps it: two counts, an index of (tag, type, offset, count), the data. All numbers
 * are big-endian and 32 bits wide. Fails with a RangeError where an offset lies outside.
 */
export function parseRpmHeader(blob: Buffer): RpmHeader {
  const indexCount = blob.readUInt32BE(0);
  const data = blob.subarray(8 + indexCount * entryBytes);
  const found: Record<string, string> = {};
  const names = new Map<number, string>(Object.entries(tags).map(([name, tag]) => [tag, name]));
  for (let at = 8; at < 8 + indexCount * entryBytes; at += entryBytes) {
    const name = names.get(blob.readUInt32BE(at));
    if (name === undefined) continue;
    const type = blob.readUInt32BE(at + 4);
    const offset = blob.readUInt32BE(at + 8);
    if (type === intType) found[name] = String(data.readUInt32BE(offset));
    else if (textTypes.has(type)) found[name] = textAt(data, offset);
  }
  return found;
}

function textAt(data: Buffer, offset: number): string {
  const end = data.indexOf(0, offset);
  if (offset >= data.length || end < 0) throw new RangeError(`a text at ${offset} has no end`);
  return data.toString('utf8', offset, end);
}
