import { badTar } from './header.ts';
import { decodeName, encodeName } from './names.ts';

/** The records of one pax extended header: POSIX.1-2017 pax, "pax Extended Header". Values are bytes. */
export type PaxRecords = Map<string, Buffer>;

/** Parses `<length> <key>=<value>\n` records. Later ones win; GNU's repeated sparse records are joined with ",". */
export function parsePax(bytes: Buffer): PaxRecords {
  const records: PaxRecords = new Map();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? '' : bytes.toString('latin1', at, space);
    const end = at + Number(digits);
    if (!/^\d{1,10}$/.test(digits) || end <= space || end > bytes.length || bytes[end - 1] !== 0x0a) {
      throw badTar('a pax record does not fit its length');
    }
    const equals = bytes.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) throw badTar('a pax record has no "="');
    const key = bytes.toString('utf8', space + 1, equals);
    const value = bytes.subarray(equals + 1, end - 1);
    const known = key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes' ? records.get(key) : undefined;
    records.set(key, known ? Buffer.concat([known, Buffer.from(','), value]) : value);
    at = end;
  }
  return records;
}

export function formatPax(records: ReadonlyMap<string, Buffer>): Buffer {
  const parts: Buffer[] = [];
  for (const [key, value] of records) {
    const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
    let length = body.length + 1;
    while (`${length}`.length + body.length !== length) length = `${length}`.length + body.length;
    parts.push(Buffer.from(`${length}`), body);
  }
  return Buffer.concat(parts);
}

export function paxText(records: PaxRecords, key: string): string | undefined {
  const value = records.get(key);
  if (value?.includes(0)) throw badTar(`the pax record ${key} holds a NUL`);
  return value === undefined || value.length === 0 ? undefined : decodeName(value);
}

export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const text = records.get(key)?.toString('latin1');
  if (text === undefined || text === '') return undefined;
  if (!/^-?\d+(\.\d*)?$/.test(text))
    throw badTar(`expected a number in the pax record ${key}, got ${JSON.stringify(text)}`);
  return Number(text);
}

export const paxValue = (value: string | number): Buffer => encodeName(`${value}`);
