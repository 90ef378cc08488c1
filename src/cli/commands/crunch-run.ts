import type { ClusterApi } from '../../api/port.ts';
import type { Container } from '../../api/records.ts';
import { isHallmarkError } from '../../core/errors.ts';
import { isUuid, type Uuid } from '../../core/ids.ts';
import { usageOf } from '../arguments/command-help.ts';
import { parseRunFlags } from '../arguments/run-flags.ts';
import { toEngineOptions } from '../engine-options.ts';
import { cliError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { listenForInterruption } from '../interruption.ts';
import { withCluster } from '../wire/cluster.ts';
import { withCrunchRun } from '../wire/engine.ts';

/**
 * `cwl-runner crunch-run CONTAINER_UUID [flags]`: locks one queued container, runs it to its end on this machine and prints its
 * state. Exit code 0 when it is Complete with exit code 0, else 1. Any number of processes may serve one home, or one cluster.
 */
export async function crunchRunCommand(args: readonly string[]): Promise<number> {
  const { flags, rest } = parseRunFlags(args, false);
  const [uuid, ...more] = rest;
  if (uuid === undefined || more.length > 0 || !isUuid(uuid) || uuid.slice(6, 11) !== 'dz642') {
    throw cliError('cli/usage', `crunch-run: expected the uuid of one container, got ${rest.join(' ') || 'none'}`, {
      hint: usageOf('crunch-run'),
    });
  }
  const interruption = listenForInterruption();
  try {
    return await withCluster((cluster) =>
      withCrunchRun(cluster, toEngineOptions(flags), async (runContainer) => {
        const container = await lockQueued(cluster.api, uuid);
        await runContainer(container, untilUnwanted(cluster.api, uuid, interruption.signal));
        return report(await cluster.api.get('containers', uuid));
      }),
    );
  } finally {
    interruption.close();
  }
}

async function lockQueued(api: ClusterApi, uuid: Uuid): Promise<Container> {
  const { state } = await api.get('containers', uuid);
  if (state !== 'Queued') throw refuse(uuid, state);
  try {
    return await api.update('containers', uuid, { state: 'Locked' });
  } catch (error) {
    if (!isHallmarkError(error, 'api/forbidden-change')) throw error;
    const now = await api.get('containers', uuid);
    if (now.priority === 0) throw error;
    throw refuse(uuid, now.state);
  }
}

const refuse = (uuid: Uuid, state: Container['state']) =>
  cliError('cli/not-queued', `expected container ${uuid} to be Queued, got ${state}`, {
    hint:
      state === 'Locked' || state === 'Running'
        ? `another process runs it: cwl-runner logs -f ${uuid} shows it`
        : 'it has ended: submit a new request to run it again',
    where: { container: uuid },
  });

/** Aborted by `signal`, and when no request wants the container any more. */
function untilUnwanted(api: ClusterApi, uuid: Uuid, signal: AbortSignal): AbortSignal {
  const stop = new AbortController();
  const end = api.watch((event) => {
    if (event.uuid !== uuid) return;
    api.get('containers', uuid).then(
      ({ priority, state }) => {
        if (state === 'Complete' || state === 'Cancelled') end();
        else if (priority === 0) stop.abort(new Error('no request wants this container any more'));
      },
      () => {},
    );
  });
  return AbortSignal.any([signal, stop.signal]);
}

function report({ uuid, state, exit_code, runtime_status }: Container): number {
  const detail = exit_code === null ? (runtime_status.error ?? '') : `exit code ${exit_code}`;
  process.stdout.write(`${`${uuid} ${state} ${detail}`.trimEnd()}\n`);
  return state === 'Complete' && exit_code === 0 ? exitCodes.success : exitCodes.failure;
}
