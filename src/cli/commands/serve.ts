import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { TlsFiles } from '../../cluster/http/server.ts';
import { toMessage } from '../../core/errors.ts';
import { parseCommandArgs } from '../arguments/command-args.ts';
import { usageOf } from '../arguments/command-help.ts';
import { parseRunFlags } from '../arguments/run-flags.ts';
import { toEngineOptions } from '../engine-options.ts';
import { cliError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { listenForInterruption } from '../interruption.ts';
import { withCluster } from '../wire/cluster.ts';
import { withEngine } from '../wire/engine.ts';

const options = {
  port: { type: 'string', default: '0' },
  certificate: { type: 'string' },
  key: { type: 'string' },
} as const;

/**
 * `cwl-runner serve`: the embedded cluster for other processes of this machine, as an Arvados cluster: its records, its Keep and whatever
 * is queued on it, until it is interrupted. Prints what a client needs.
 */
export async function serveCommand(args: readonly string[]): Promise<number> {
  const { flags, rest } = parseRunFlags(args, false);
  const { values, positionals } = parseCommandArgs(rest, options, 'serve');
  const port = Number(values.port);
  if (positionals.length > 0 || !(Number.isInteger(port) && port >= 0 && port < 65_536)) {
    throw cliError('cli/usage', `serve: expected a port, got ${positionals.join(' ') || values.port}`, {
      hint: usageOf('serve'),
    });
  }
  const tls = readTlsFiles(values);
  const { serveCluster } = await import('../../cluster/http/server.ts');
  const interruption = listenForInterruption();
  const serve = async (cluster: Parameters<Parameters<typeof withCluster>[0]>[0]): Promise<void> => {
    const { embedded, blocks, logger } = cluster;
    if (!embedded) return;
    const token = randomBytes(24).toString('base64url');
    const tried = serveCluster({ cluster: embedded, blocks, token, port, ...(tls && { tls }), logger });
    const face = await tried.catch((cause: unknown) => {
      throw cliError('cli/bad-config', `serve: cannot take port ${port}: ${toMessage(cause)}`, {
        hint: 'choose another, or leave --port out for any that is free',
        cause,
      });
    });
    process.stdout.write(`ARVADOS_API_HOST=${tls ? new URL(face.url).host : face.url}\nARVADOS_API_TOKEN=${token}\n`);
    if (!interruption.signal.aborted) await once(interruption.signal, 'abort');
    await face.close();
  };
  try {
    await withCluster(
      (cluster) => withEngine(cluster, { ...toEngineOptions(flags), scope: 'all' }, () => serve(cluster)),
      { embedded: true },
    );
    return exitCodes.success;
  } finally {
    interruption.close();
  }
}

/** Of `--certificate` and `--key`. Arvados' own clients speak https only. */
function readTlsFiles({ certificate, key }: { certificate?: string; key?: string }): TlsFiles | undefined {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    throw cliError('cli/usage', 'serve: expected --certificate and --key together, got one of them', {
      hint: usageOf('serve'),
    });
  }
  const tls = { cert: readPem(certificate), key: readPem(key) };
  try {
    createSecureContext(tls);
    return tls;
  } catch (cause) {
    throw cliError(
      'cli/bad-config',
      `serve: ${certificate} and ${key} are no certificate and its key: ${toMessage(cause)}`,
      {
        hint: 'expected PEM files that belong together',
        cause,
      },
    );
  }
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw cliError('cli/bad-config', `serve: cannot read ${path}: ${toMessage(cause)}`, {
      hint: 'expected a PEM file',
      cause,
    });
  }
}
