import { didYouMean } from '../../../core/nearest.ts';
import { imageError } from '../../errors.ts';

export interface FlagShape {
  /** Flags with one value. */
  readonly text?: readonly string[];
  /** Flags that may be given more than once. */
  readonly list?: readonly string[];
  /** Flags that are true without a value. */
  readonly bool?: readonly string[];
}

export interface Flags {
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  bool(name: string): boolean | undefined;
}

/** Reads `--name[=value]` of one instruction and refuses what the instruction does not have. */
export function parseFlags(keyword: string, flags: readonly string[], shape: FlagShape): Flags {
  const known = [...(shape.text ?? []), ...(shape.list ?? []), ...(shape.bool ?? [])];
  const found = new Map<string, string[]>();
  for (const flag of flags) {
    const [, name = '', value] = /^--([^=]*)(?:=([\s\S]*))?$/.exec(flag) ?? [];
    const isBool = shape.bool?.includes(name);
    if (!known.includes(name)) {
      const hint = didYouMean(name, known);
      throw imageError('image/bad-dockerfile', `${keyword} has no flag --${name}`, hint ? { hint } : {});
    }
    if (value === undefined && !isBool)
      throw imageError('image/bad-dockerfile', `expected a value after ${keyword} --${name}`);
    if (isBool && !['true', 'false', undefined].includes(value?.toLowerCase())) {
      throw imageError('image/bad-dockerfile', `expected ${keyword} --${name} to be true or false, got "${value}"`);
    }
    if (found.has(name) && !shape.list?.includes(name)) {
      throw imageError('image/bad-dockerfile', `expected ${keyword} --${name} once, got it again`);
    }
    found.set(name, [...(found.get(name) ?? []), value?.toString() ?? 'true']);
  }
  return {
    text: (name) => found.get(name)?.[0],
    list: (name) => found.get(name) ?? [],
    bool: (name) => (found.has(name) ? found.get(name)?.[0]?.toLowerCase() === 'true' : undefined),
  };
}
