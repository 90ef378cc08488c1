import { didYouMean } from '../../../core/nearest.ts';
import { imageError } from '../../errors.ts';

/** One `RUN --mount`, variables put in. Dockerfile reference, "RUN --mount". */
export interface Mount {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret';
  /** A stage or an image; absent: the build context (bind), nothing (cache). */
  readonly from?: string;
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly id?: string;
  readonly sharing: 'shared' | 'private' | 'locked';
  readonly required: boolean;
  readonly sizeBytes?: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** secret: the environment variable that shall hold it. */
  readonly env?: string;
}

const aliases: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
};
const common = ['type', 'source', 'target', 'readonly', 'readwrite', 'from'];
const keysOf: Readonly<Record<Mount['type'], readonly string[]>> = {
  bind: common,
  cache: [...common, 'id', 'sharing', 'mode', 'uid', 'gid'],
  tmpfs: ['type', 'target', 'size', 'readonly', 'readwrite'],
  secret: ['type', 'id', 'source', 'target', 'required', 'mode', 'uid', 'gid', 'env', 'readonly', 'readwrite'],
};

const bad = (message: string, hint?: string) => imageError('image/bad-dockerfile', message, hint ? { hint } : {});

export function parseMount(text: string, expand: (word: string) => string): Mount {
  const fields = readFields(text, expand);
  const type = fields.get('type') ?? 'bind';
  if (type === 'ssh') throw imageError('image/unsupported-instruction', 'RUN --mount=type=ssh is not supported');
  if (!Object.hasOwn(keysOf, type)) throw bad(`unknown mount type "${type}"`, didYouMean(type, Object.keys(keysOf)));
  const kind = type as Mount['type'];
  for (const key of fields.keys()) {
    if (!keysOf[kind].includes(key)) throw bad(`a ${kind} mount has no option "${key}"`, didYouMean(key, keysOf[kind]));
  }
  const mount = { type: kind, ...readOptions(fields), readOnly: isReadOnly(kind, fields) };
  if (kind === 'secret') return toSecret(mount);
  if (mount.target === '' || mount.target === '/') throw bad(`expected a target below / in --mount=${text}`);
  return mount;
}

/** Comma-separated as CSV; a field in double quotes may hold commas. */
function readFields(text: string, expand: (word: string) => string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [, quoted, plain] of text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    const field = quoted?.replaceAll('""', '"') ?? plain ?? '';
    const equals = field.indexOf('=');
    const name = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const key = aliases[name] ?? name;
    if (equals < 0 && !['readonly', 'readwrite', 'required'].includes(key))
      throw bad(`expected "${field}" to be key=value in --mount=${text}`);
    const value = equals < 0 ? 'true' : field.slice(equals + 1);
    if (key === 'from' && value.includes('$')) {
      throw bad(
        'expected no variable in the from of a mount',
        'name a stage with FROM $VARIABLE AS name, and mount from that',
      );
    }
    fields.set(key, key === 'from' ? value : expand(value));
  }
  return fields;
}

function readOptions(fields: ReadonlyMap<string, string>) {
  const sharing = fields.get('sharing')?.toLowerCase() ?? 'shared';
  if (sharing !== 'shared' && sharing !== 'private' && sharing !== 'locked') {
    throw bad(`expected sharing to be shared, private or locked, got "${sharing}"`);
  }
  const [mode, uid, gid] = [number(fields, 'mode', 8), number(fields, 'uid', 10), number(fields, 'gid', 10)];
  const [from, id, env, size] = [fields.get('from'), fields.get('id'), fields.get('env'), fields.get('size')];
  return {
    source: fields.get('source') ?? '',
    target: fields.get('target') ?? '',
    sharing: sharing as Mount['sharing'],
    required: isTrue(fields, 'required'),
    ...(from && { from }),
    ...(id && { id }),
    ...(env !== undefined && { env }),
    ...(size && { sizeBytes: parseSize(size) }),
    ...(mode !== undefined && { mode }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  };
}

function isTrue(fields: ReadonlyMap<string, string>, key: string): boolean {
  const value = fields.get(key)?.toLowerCase();
  if (value === undefined) return false;
  if (['true', '1', 't'].includes(value)) return true;
  if (['false', '0', 'f'].includes(value)) return false;
  throw bad(`expected ${key} to be true or false, got "${value}"`);
}

function isReadOnly(type: Mount['type'], fields: ReadonlyMap<string, string>): boolean {
  if (fields.has('readwrite')) return !isTrue(fields, 'readwrite');
  if (fields.has('readonly')) return isTrue(fields, 'readonly');
  return type === 'bind' || type === 'secret';
}

function number(fields: ReadonlyMap<string, string>, key: string, base: 8 | 10): number | undefined {
  const text = fields.get(key);
  if (text === undefined) return undefined;
  if (!(base === 8 ? /^[0-7]+$/ : /^\d+$/).test(text))
    throw bad(`expected ${key} to be ${base === 8 ? 'octal' : 'a number'}, got "${text}"`);
  return Number.parseInt(text, base);
}

function parseSize(text: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgt]?)i?b?$/i.exec(text) ?? [];
  if (amount === undefined) throw bad(`expected size to be bytes or an amount such as 64m, got "${text}"`);
  return Math.floor(Number(amount) * 1024 ** ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase()));
}

/** The id is the source or the name of the target; the target is `/run/secrets/<id>` unless it goes into a variable only. */
function toSecret(mount: Mount): Mount {
  const id = mount.id ?? (mount.source || mount.target.split('/').at(-1) || '');
  if (id === '') throw bad('expected an id, a source or a target in a secret mount');
  const target = mount.target || (mount.env === undefined ? `/run/secrets/${id}` : '');
  return { ...mount, id, target };
}
