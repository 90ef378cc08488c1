import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ArvadosSettings } from '../../arvados/settings.ts';
import { toMessage } from '../../core/errors.ts';
import { cliError } from '../errors.ts';

/**
 * The cluster that the variables `ARVADOS_…` name, or the file `arvados/settings.conf` where they do not, as Arvados' own clients read
 * them; undefined where they name none: an empty `ARVADOS_API_HOST` asks for the embedded cluster.
 */
export function readArvadosSettings(environment: NodeJS.ProcessEnv): ArvadosSettings | undefined {
  const settings = { ...readSettingsFile(environment), ...definedIn(environment) };
  const { ARVADOS_API_HOST: host = '', ARVADOS_API_TOKEN: token = '' } = settings;
  if (host === '') return undefined;
  if (token === '') {
    throw cliError('cli/bad-config', `ARVADOS_API_HOST names ${host}, but ARVADOS_API_TOKEN is not set`, {
      hint: 'set it to a token of yours (Workbench, "Get API token"), or ARVADOS_API_HOST to nothing for the embedded cluster',
    });
  }
  if (!/^[\w/.=+-]+$/.test(token)) {
    throw cliError('cli/bad-config', 'expected ARVADOS_API_TOKEN to be one word of letters, digits and slashes');
  }
  const services = (settings.ARVADOS_KEEP_SERVICES ?? '').split(/\s+/).filter((text) => text !== '');
  return {
    url: toOrigin('ARVADOS_API_HOST', /^https?:\/\//.test(host) ? host : `https://${host}`),
    token,
    insecure: /^(1|t|true|y|yes)$/i.test(settings.ARVADOS_API_HOST_INSECURE ?? ''),
    keepServices: services.map((text) => toOrigin('ARVADOS_KEEP_SERVICES', text)),
  };
}

const definedIn = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      name.startsWith('ARVADOS_') && value !== undefined ? [[name, value.trim()]] : [],
    ),
  );

/** Lines `NAME=value`; what begins with `#` is a comment. */
function readSettingsFile(environment: NodeJS.ProcessEnv): Record<string, string> {
  const folder = environment.XDG_CONFIG_HOME || join(environment.HOME || homedir(), '.config');
  const path = join(folder, 'arvados/settings.conf');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return {};
    throw cliError('cli/bad-config', `cannot read ${path}: ${toMessage(cause)}`, { cause });
  }
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^\s*([^=\s]+)\s*=(.*)$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) return [name, value.trim()];
      throw cliError('cli/bad-config', `${path}: expected lines NAME=value, got one without "="`);
    }),
  );
}

const loopback = /^(localhost|127\.0\.0\.1|\[::1\])$/;

/** The token goes over TLS, or stays on this machine. */
function toOrigin(name: string, text: string): string {
  const bad = (got: string) =>
    cliError('cli/bad-config', `expected ${name} to be HOST or HOST:PORT, got ${JSON.stringify(got)}`, {
      hint: 'for example ARVADOS_API_HOST=zzzzz.example.org',
    });
  if (!URL.canParse(text)) throw bad(text.replace(/^https:\/\//, ''));
  const url = new URL(text);
  const isBare = url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  if (!isBare || !/^https?:$/.test(url.protocol)) throw bad(text.replace(/\/\/[^/]*@/, '//…@'));
  if (url.protocol === 'http:' && !loopback.test(url.hostname)) {
    throw cliError('cli/bad-config', `${name} names ${url.origin}: the token would go over the network in clear`, {
      hint: 'use https; http is for this machine itself',
    });
  }
  return url.origin;
}
