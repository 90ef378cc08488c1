import type { Container } from '../api/records.ts';
import { isHallmarkError, toMessage } from '../core/errors.ts';
import type { PortableDataHash } from '../core/ids.ts';
import type { Ending } from './ending.ts';
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

/** Writes the ending into the record, the log first: who sees a final state finds its log. */
export async function finalize(ending: Ending, { container, logs, deps }: Ended): Promise<void> {
  const { uuid } = container;
  logs.line(describe(ending));
  const log = await saveLog({ container, logs, deps });
  const status = log === null ? { ...ending.status, ...unsavedLog(logs.directory) } : ending.status;
  const result =
    ending.state === 'Complete'
      ? { exit_code: ending.exitCode, output: ending.output, output_properties: ending.outputProperties }
      : {};
  try {
    await withRetries(() =>
      deps.api.update('containers', uuid, { state: ending.state, log, runtime_status: status, ...result }, brief),
    );
  } catch (error) {
    deps.logger.error(`container ${uuid}: its final state ${ending.state} could not be recorded: ${toMessage(error)}`);
    await logs.keepLive();
    if (isHallmarkError(error, 'api/forbidden-change')) return;
    throw error;
  }
  await (log === null ? logs.keepLive() : logs.discard());
}

async function saveLog({ container, logs, deps }: Ended): Promise<PortableDataHash | null> {
  try {
    const collection = await saveLogs(await logs.finish(), deps.blocks);
    const name = `logs for ${container.uuid}`;
    const properties = { type: 'log', container_uuid: container.uuid };
    const record = { name, properties, manifest_text: collection.manifestText };
    await withRetries(() => deps.api.create('collections', record, brief));
    return collection.portableDataHash;
  } catch (error) {
    deps.logger.error(`container ${container.uuid}: its log could not be saved: ${toMessage(error)}`);
    logs.line(`the log could not be saved: ${toMessage(error)}`);
    return null;
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
