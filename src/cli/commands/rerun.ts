import type { ClusterApi } from '../../api/port.ts';
import type { ContainerRequest } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { explainDifference } from '../../run/explain.ts';
import { getRun, listStepRequests, type RunRecord } from '../../run/run-record.ts';
import { usageOf } from '../arguments/command-help.ts';
import { parseRunFlags } from '../arguments/run-flags.ts';
import { cliError } from '../errors.ts';
import { formatTable } from '../terminal/table.ts';
import { withCluster } from '../wire/cluster.ts';
import { runCommand } from './run.ts';

/**
 * `cwl-runner rerun [RUN|last] [flags]`: reads the instructions as they are now, rebuilds what changed, takes the rest from the
 * earlier run, and says for each step which it was and why.
 */
export async function rerunCommand(args: readonly string[]): Promise<number> {
  const { flags, given, rest, notes } = parseRunFlags(args, false);
  const [name = 'last', ...more] = rest;
  const unknown = rest.find((word) => word.startsWith('-'));
  if (unknown !== undefined || more.length > 0) {
    const problem = unknown === undefined ? `expected one run, got ${rest.join(' ')}` : `unknown flag ${unknown}`;
    throw cliError('cli/usage', `rerun: ${problem}`, { hint: usageOf('rerun') });
  }
  const run = await withCluster(({ api }) => getRun(api, name));
  return runCommand({
    document: run.document,
    inputValues: run.inputs as CwlObject,
    readFlags: () => ({ flags: { ...flags, ...run.flags, ...given }, inputArgs: [], help: false, notes }),
    onEnd: async (result, { api }) => printTable(await compareRuns(api, run, result.run)),
  });
}

interface ComparedStep {
  readonly step: string;
  readonly action: 'reused' | 'run' | 'failed';
  readonly because: string;
}

async function compareRuns(api: ClusterApi, before: RunRecord, now: Uuid): Promise<ComparedStep[]> {
  const [earlier, requests] = await Promise.all([listStepRequests(api, before.uuid), listStepRequests(api, now)]);
  const byName = new Map(earlier.map((request) => [stepName(request), request]));
  return Promise.all(requests.map((request) => compareStep(api, byName.get(stepName(request)), request)));
}

async function compareStep(
  api: ClusterApi,
  before: ContainerRequest | undefined,
  now: ContainerRequest,
): Promise<ComparedStep> {
  const step = stepName(now);
  const container = now.container_uuid ? await api.get('containers', now.container_uuid) : undefined;
  if (await isReused(api, now)) {
    const same = before?.container_uuid === now.container_uuid;
    return {
      step,
      action: 'reused',
      because: same ? 'nothing that it depends on changed' : 'an equal step had run before',
    };
  }
  const action = container?.state === 'Complete' && container.exit_code === 0 ? 'run' : 'failed';
  if (!before) return { step, action, because: 'the earlier run has no such step' };
  const difference = await explainDifference(api, before, now);
  return {
    step,
    action,
    because:
      difference ?? (before.state === 'Final' ? 'no earlier result to take' : 'the earlier run did not finish it'),
  };
}

/** Whether an earlier request had asked for its container. */
async function isReused(api: ClusterApi, request: ContainerRequest): Promise<boolean> {
  const page = await api.list('container_requests', {
    filters: [['container_uuid', '=', request.container_uuid]],
    order: ['created_at', 'uuid'],
    limit: 1,
  });
  return page.items[0]?.uuid !== request.uuid;
}

/** A build or pull goes by its own name, a step by the path of step names. */
const stepName = (request: ContainerRequest): string => String(request.properties['hm:step'] ?? request.name);

function printTable(steps: readonly ComparedStep[]): void {
  const rows = steps.map(({ step, action, because }) => [step, action, because]);
  process.stderr.write(`\n${formatTable(['step', '', 'because'], rows)}\n`);
}
