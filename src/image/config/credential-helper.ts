import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { isJsonObject } from '../../core/json.ts';
import { imageError } from '../errors.ts';
import type { Credentials } from '../registry/port.ts';

/** Asks `docker-credential-<name>` for the login of a server; undefined where it has none. */
export type RunHelper = (name: string, server: string) => Promise<Credentials | undefined>;

const timeoutMs = 30_000;

/** The protocol of docker-credential-helpers: `get`, the server on stdin, JSON on stdout; the user `<token>` marks an identity token. */
export const runCredentialHelper: RunHelper = async (name, server) => {
  if (!/^[\w.-]+$/.test(name)) throw helperError(name, 'it is no name of a helper');
  const program = `docker-credential-${name}`;
  const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs });
  // A helper that ends without reading is not an error by itself.
  child.stdin.on('error', () => {});
  child.stdin.end(server);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [code, output] = await Promise.all([exited, buffer(child.stdout), buffer(child.stderr)]).catch(
    (error: Error) => {
      throw helperError(name, error.message, error);
    },
  );
  const text = output.toString('utf8');
  if (code === 0) return parseAnswer(text, name);
  if (/credentials not found/i.test(text)) return undefined;
  throw helperError(name, code === null ? `no answer in ${timeoutMs / 1000} s` : `it ended with ${code}`);
};

function parseAnswer(text: string, name: string): Credentials | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw helperError(name, 'its answer is no JSON');
  }
  if (!isJsonObject(json) || typeof json.Username !== 'string' || typeof json.Secret !== 'string') {
    throw helperError(name, 'its answer has no Username and Secret');
  }
  if (json.Secret === '') return undefined;
  if (json.Username === '<token>') return { kind: 'identity-token', token: json.Secret };
  return { kind: 'password', username: json.Username, password: json.Secret };
}

const helperError = (name: string, why: string, cause?: unknown) =>
  imageError('image/bad-credentials', `credential helper docker-credential-${name}: ${why}`, {
    cause,
    hint: 'install it, or take it out of credsStore and credHelpers in the config.json of docker',
  });
