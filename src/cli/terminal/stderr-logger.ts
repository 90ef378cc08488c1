import type { Logger } from '../../core/logger.ts';

const levels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof levels)[number];

/** Lines on standard error, from `level` up; with a time before each when asked. */
export function createStderrLogger(level: LogLevel, timestamps = false): Logger {
  const limit = levels.indexOf(level);
  const at = (name: LogLevel) => (message: string) => {
    if (levels.indexOf(name) > limit) return;
    const time = timestamps ? `${new Date().toISOString()} ` : '';
    process.stderr.write(`${time}${name === 'info' ? '' : `${name}: `}${message}\n`);
  };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}
