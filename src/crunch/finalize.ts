import type { Container } from '../api/records.ts';
import { isHallmarkError, toMessage } from '../core/errors.ts';
import type { PortableDataHash } from '../core/ids.ts';
import { type Ending, toStatus } from './ending.ts';
import type { ContainerLogs } from './logs/container-logs.ts';
import { saveLogs } from './logs/save-logs.ts';
import type { CrunchDeps } from './port.ts';
import { withRetries } from './retry.ts';

/** Nobody looks at what comes back. */
const brief = { select: ['uuid'] };

interface Ended {
  readonly container: Container;
  readonly logs: ContainerLogs;
  readonly deps: CrunchDeps;
}

/**
 * Writes the ending into the record: who sees a final state finds its output and its log. The records of these two reach the
 * cluster in the same turn of the event loop, before the state, so that it keeps all three in one transaction; where it takes
 * one of them later or never, the state waits for that.
 */
export async function finalize(ending: Ending, ended: Ended): Promise<void> {
  const { container, logs, deps } = ended;
  logs.line(describe(ending));
  const log = await saveLog(ended);
  const atOnce = report(ending, log.hash, ended);
  const output = ending.state === 'Complete' ? ending.outputKept : undefined;
  const [reported, kept] = await Promise.allSettled([atOnce, output, log.isKept]);
  if (reported.status === 'fulfilled') return log.hash === null ? logs.keepLive() : logs.discard();
  if (kept.status === 'rejected') return finalize({ state: 'Cancelled', status: toStatus(kept.reason) }, ended);
  const hash = (await log.isKept) ? log.hash : null;
  try {
    await report(ending, hash, ended);
  } catch (error) {
    const problem = `its final state ${ending.state} could not be recorded: ${toMessage(error)}`;
    deps.logger.error(`container ${container.uuid}: ${problem}`);
    await logs.keepLive();
    if (isHallmarkError(error, 'api/forbidden-change')) return;
    throw error;
  }
  await (hash === null ? logs.keepLive() : logs.discard());
}

/** The record as it is in the end; without a saved log it says where the live one is. */
async function report(ending: Ending, log: PortableDataHash | null, { container, logs, deps }: Ended): Promise<void> {
  const status = log === null ? { ...ending.status, ...unsavedLog(logs.directory) } : ending.status;
  const result =
    ending.state === 'Complete'
      ? { exit_code: ending.exitCode, output: ending.output, output_properties: ending.outputProperties }
      : {};
  const attributes = { state: ending.state, log, runtime_status: status, ...result };
  await withRetries(() => deps.api.update('containers', container.uuid, attributes, brief));
}

interface SavedLog {
  /** Null where its bytes could not be stored. */
  readonly hash: PortableDataHash | null;
  /** Whether its record could be made. */
  readonly isKept: Promise<boolean>;
}

async function saveLog(ended: Ended): Promise<SavedLog> {
  const { container, logs, deps } = ended;
  const fail = (error: unknown): false => {
    deps.logger.error(`container ${container.uuid}: its log could not be saved: ${toMessage(error)}`);
    logs.line(`the log could not be saved: ${toMessage(error)}`);
    return false;
  };
  try {
    const collection = await saveLogs(await logs.finish(), deps.blocks);
    const name = `logs for ${container.uuid}`;
    const properties = { type: 'log', container_uuid: container.uuid };
    const record = { name, properties, manifest_text: collection.manifestText };
    const made = withRetries(() => deps.api.create('collections', record, brief));
    return { hash: collection.portableDataHash, isKept: made.then(() => true, fail) };
  } catch (error) {
    return { hash: null, isKept: Promise.resolve(fail(error)) };
  }
}

const unsavedLog = (directory: string) => ({
  warning: 'the log could not be saved to Keep',
  warningDetail: `it stays in ${directory}`,
});

function describe(ending: Ending): string {
  if (ending.state === 'Complete') {
    const lines = [`Complete: exit code ${ending.exitCode}`, ending.status.error, ending.status.errorDetail];
    return lines.filter((line) => line !== undefined).join('\n');
  }
  return [`Cancelled: ${ending.status.error}`, ending.status.errorDetail]
    .filter((line) => line !== undefined)
    .join('\n');
}
