import type { ClusterApi } from '../api/port.ts';
import { toStatus } from '../job/outputs/output-object.ts';
import { arvadosPrefix, findRequirement } from '../job/requirements.ts';
import type { ToolStep } from '../job/tool/tool-job.ts';
import type { BlockStore } from '../keep/port.ts';
import type { Attempt } from './attempt.ts';
import { runError } from './errors.ts';
import { hintOf, reasonOf, splitDetail } from './image/failure.ts';
import { lastLines } from './log-tail.ts';

const stderrLines = 20;

/** Everything a person needs: the step, the exact command, the exit code, the end of its stderr, where the whole log is. */
export async function toStepFailure(
  step: ToolStep,
  { request, container }: Pick<Attempt, 'request' | 'container'>,
  services: { readonly api: ClusterApi; readonly blocks: BlockStore },
): Promise<Error> {
  const reason = reasonOf(request, container);
  const tail = container?.log ? await lastLines(services, container.log, 'stderr.txt', stderrLines) : [];
  const { detail } = splitDetail(container);
  const hint = toHint(step, container);
  const lines = [
    `step ${step.name} failed: ${reason}`,
    `  command: ${toShell(request.command)}`,
    ...executed(request.command, container),
    ...(tail.length > 0 ? ['  last lines of its stderr:', ...tail.map((line) => `  | ${line}`)] : []),
    ...detail.map((line) => `  detail: ${line}`),
    `  whole log: cwl-runner logs ${request.uuid}`,
  ];
  return runError('run/step-failed', lines.join('\n'), {
    where: { step: step.name, ...(container ? { container: container.uuid } : {}) },
    retryable: container?.exit_code != null && toStatus(step.process, container.exit_code) === 'temporaryFail',
    ...(hint !== undefined && { hint }),
  });
}

/** More memory is asked for by whoever wrote the step: its container knows nothing of what it asked for already. */
function toHint({ requirements }: ToolStep, container: Attempt['container']): string | undefined {
  if (!container?.runtime_status.outOfMemory) return hintOf(container);
  const isRetried = findRequirement(requirements, `${arvadosPrefix}OutOfMemoryRetry`) !== undefined;
  const more = isRetried ? 'memoryRetryMultiplier of its arv:OutOfMemoryRetry' : 'add the hint arv:OutOfMemoryRetry';
  return `raise ramMin of its ResourceRequirement, or ${more}`;
}

/** What was executed, where that is more than the command. */
function executed(command: readonly string[], container: Attempt['container']): string[] {
  const { entrypoint = [] } = container?.runtime_status ?? {};
  return entrypoint.length === 0
    ? []
    : [`  executed: ${toShell([...entrypoint, ...command])} (with the ENTRYPOINT of the image)`];
}

const toShell = (words: readonly string[]): string => words.map(quote).join(' ');

/** As a shell would need it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
