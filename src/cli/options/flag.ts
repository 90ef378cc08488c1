import type { Options } from 'yargs';

/** A flag as it is declared: what yargs says of it, and what else we know. */
export interface Flag extends Options {
  /** Another name for these values of other flags. */
  readonly means?: Readonly<Record<string, unknown>>;
  /** Of another runner, accepted and without effect: why, for the one line that is told. */
  readonly noEffect?: string;
  /** The same for `--no-NAME`. */
  readonly noEffectNegated?: string;
  /** Of another runner and refused: what to do instead. */
  readonly refused?: string;
}

export const flag = <const Extra extends Flag>(description: string, extra: Extra) => ({
  type: 'boolean' as const,
  description,
  ...extra,
});

export const text = <const Extra extends Flag>(description: string, extra: Extra) => ({
  type: 'string' as const,
  requiresArg: true,
  description,
  ...extra,
});

export const number = <const Extra extends Flag>(description: string, extra: Extra) => ({
  type: 'number' as const,
  description,
  ...extra,
});

/** May be given several times. */
export const list = <const Extra extends Flag>(description: string, extra: Extra) => ({
  type: 'string' as const,
  array: true as const,
  nargs: 1,
  description,
  ...extra,
});

type Value<F> = F extends { readonly array: true }
  ? readonly string[]
  : F extends { readonly choices: readonly (infer Choice)[] }
    ? Choice
    : F extends { readonly type: 'boolean' }
      ? boolean
      : F extends { readonly type: 'number' }
        ? number
        : string;

type Camel<Name> = Name extends `${infer First}-${infer Rest}` ? `${First}${Capitalize<Camel<Rest>>}` : Name;

/** What declared flags come to: names in camel case, those with a default always there. */
export type ValuesOf<Flags> = {
  readonly [Name in keyof Flags as Flags[Name] extends { readonly default: unknown } ? Camel<Name> : never]: Value<
    Flags[Name]
  >;
} & {
  readonly [Name in keyof Flags as Flags[Name] extends { readonly default: unknown } ? never : Camel<Name>]?: Value<
    Flags[Name]
  >;
};
