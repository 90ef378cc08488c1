import { imageError } from '../../errors.ts';
import { parseFlags } from './flags.ts';
import type { HealthCheck } from './instructions.ts';
import { parseJsonForm } from './json-form.ts';
import type { InstructionLine } from './lines.ts';

const units: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
const minimumNs = 1e6;

/** A duration as Go's `time.ParseDuration` reads it, in nanoseconds. */
function parseDurationNs(text: string): number {
  if (text === '0') return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw imageError('image/bad-dockerfile', `expected a duration such as 30s or 1m30s, got "${text}"`);
  }
  return Math.round(parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0), 0));
}

export function parseHealthCheck(line: InstructionLine): HealthCheck {
  const [, type = '', rest = ''] = /^(\S*)\s*([\s\S]*)$/.exec(line.rest) ?? [];
  const durations = {
    Interval: 'interval',
    Timeout: 'timeout',
    StartPeriod: 'start-period',
    StartInterval: 'start-interval',
  };
  const flags = parseFlags('HEALTHCHECK', line.flags, { text: [...Object.values(durations), 'retries'] });
  if (type.toUpperCase() === 'NONE' && rest === '' && line.flags.length === 0) return { Test: ['NONE'] };
  if (type.toUpperCase() !== 'CMD' || rest === '') {
    throw imageError(
      'image/bad-dockerfile',
      `expected HEALTHCHECK NONE or HEALTHCHECK CMD command, got "${line.rest}"`,
    );
  }
  const words = parseJsonForm({ keyword: 'HEALTHCHECK', rest });
  const check: Record<string, number> = {};
  for (const [field, flag] of Object.entries(durations)) {
    const text = flags.text(flag);
    const value = text === undefined ? 0 : parseDurationNs(text);
    if (value !== 0 && value < minimumNs)
      throw imageError('image/bad-dockerfile', `expected --${flag} of 1ms or more, got ${text}`);
    if (value !== 0) check[field] = value;
  }
  const retries = flags.text('retries');
  if (retries !== undefined && !/^\d+$/.test(retries)) {
    throw imageError('image/bad-dockerfile', `expected HEALTHCHECK --retries to be a number, got "${retries}"`);
  }
  if (Number(retries ?? 0) > 0) check.Retries = Number(retries);
  return { Test: words ? ['CMD', ...words] : ['CMD-SHELL', rest], ...check };
}
