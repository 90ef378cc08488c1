import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
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

const options = { port: { type: 'string', default: '0' } } as const;

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
  const { serveCluster } = await import('../../cluster/http/server.ts');
  const interruption = listenForInterruption();
  const serve = async (cluster: Parameters<Parameters<typeof withCluster>[0]>[0]): Promise<void> => {
    const { embedded, blocks, logger } = cluster;
    if (!embedded) return;
    const token = randomBytes(24).toString('base64url');
    const face = await serveCluster({ cluster: embedded, blocks, token, port, logger }).catch((cause: unknown) => {
      throw cliError('cli/bad-config', `serve: cannot take port ${port}: ${toMessage(cause)}`, {
        hint: 'choose another, or leave --port out for any that is free',
        cause,
      });
    });
    process.stdout.write(`ARVADOS_API_HOST=${face.url}\nARVADOS_API_TOKEN=${token}\n`);
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
