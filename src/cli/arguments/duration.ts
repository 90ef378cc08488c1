import { cliError } from '../errors.ts';

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `30d`, `12h`, `0s` → milliseconds. */
export function parseDuration(flag: string, text: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  const ms = Number(amount) * (unitMs[unit] ?? Number.NaN);
  if (Number.isFinite(ms)) return ms;
  throw cliError('cli/usage', `${flag}: expected a number and a unit, got ${JSON.stringify(text)}`, {
    hint: 'units are s, m, h, d and w: 12h, 30d',
  });
}
