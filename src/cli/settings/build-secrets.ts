import { readFile } from 'node:fs/promises';
import { toMessage } from '../../core/errors.ts';
import { cliError } from '../errors.ts';

/**
 * The secrets of `--secret id=NAME,src=FILE` and `--secret id=NAME,env=VARIABLE`, as `docker build` writes them; without either,
 * the variable NAME, else the file NAME. Their content goes into secret mounts and nowhere else.
 */
export async function readBuildSecrets(
  flags: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<ReadonlyMap<string, string>> {
  const secrets = new Map<string, string>();
  for (const flag of flags) {
    const fields = readFields(flag);
    const id = fields.get('id');
    if (id === undefined || !/^[\w.-]+$/.test(id) || /^\.+$/.test(id)) throw badSecret(flag, 'a name after id=');
    if (secrets.has(id)) throw badSecret(flag, `the secret ${id} once`);
    secrets.set(id, await readSecret(id, fields, environment));
  }
  return secrets;
}

const known: Readonly<Record<string, string>> = { id: 'id', src: 'src', source: 'src', env: 'env', type: 'type' };

function readFields(flag: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const part of flag.split(',')) {
    const equals = part.indexOf('=');
    const name = known[part.slice(0, Math.max(0, equals))];
    if (name === undefined) throw badSecret(flag, 'id=NAME,src=FILE or id=NAME,env=VARIABLE');
    fields.set(name, part.slice(equals + 1));
  }
  return fields;
}

async function readSecret(
  id: string,
  fields: ReadonlyMap<string, string>,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const path = fields.get('src');
  const variable = fields.get('env') ?? (path === undefined && environment[id] !== undefined ? id : undefined);
  if (variable !== undefined) {
    const value = environment[variable];
    if (value !== undefined) return value;
    throw cliError('cli/usage', `--secret ${id}: expected the environment variable ${variable}, got none`, {
      hint: 'export it, or name a file with src=',
    });
  }
  const content = await readFile(path ?? id).catch((cause: unknown) => {
    throw cliError('cli/usage', `--secret ${id}: cannot read ${path ?? id}: ${toMessage(cause)}`, { cause });
  });
  if (content.equals(Buffer.from(content.toString()))) return content.toString();
  throw cliError('cli/usage', `--secret ${id}: expected text (UTF-8) in ${path ?? id}, got other bytes`, {
    hint: 'encode it, with base64 for one, and decode it in the RUN that uses it',
  });
}

/** The flag is named, never what it holds: a value may have been typed in by mistake. */
const badSecret = (flag: string, expected: string) =>
  cliError('cli/usage', `--secret: expected ${expected}, got ${flag.replace(/=[^,]*/g, '=…')}`, {
    hint: '--secret id=NAME,src=FILE, as docker build has it',
  });
