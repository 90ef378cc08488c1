import type { ClusterApi } from '../../api/port.ts';
import { hostImage } from '../../api/records.ts';
import type { BlockStore } from '../../keep/port.ts';
import type { AwaitedRequest } from '../await-request.ts';
import type { EndedContainer } from '../ended-container.ts';
import { lastLines } from '../log-tail.ts';

export interface FailureText {
  /** One line for what happened, then what belongs to it, indented. */
  readonly message: string;
  readonly hint?: string;
}

/** Of a pull or a build: what it says itself or else the last lines that it wrote, and where the whole log is. */
export async function describeFailure(
  services: { readonly api: ClusterApi; readonly blocks: BlockStore },
  what: string,
  request: AwaitedRequest,
  container: EndedContainer | undefined,
): Promise<FailureText> {
  const { error } = container?.runtime_status ?? {};
  const { detail, hint } = splitDetail(container);
  const said = !error && container?.log ? await lastLines(services, container.log, 'stderr.txt', 15) : detail;
  const lines = [
    `${what} failed: ${error ?? reasonOf(request, container)}`,
    ...said.map((line) => `  | ${line}`),
    `  whole log: cwl-runner logs ${request.uuid}`,
  ];
  return { message: lines.join('\n'), ...(hint !== undefined && { hint }) };
}

/** `exit code 1`, `exit code 137 (out of memory …)`, or what the infrastructure said. */
export function reasonOf(request: AwaitedRequest, container: EndedContainer | undefined): string {
  if (!container) return request.priority === 0 ? 'cancelled' : `request ${request.uuid} got no container`;
  const status = container.runtime_status;
  if (container.state === 'Cancelled') return status.error ?? 'cancelled';
  const known = status.error ?? (status.outOfMemory ? 'out of memory' : exitMeanings[container.exit_code ?? 0]);
  return `exit code ${container.exit_code}${known === undefined ? '' : ` (${known})`}`;
}

/** POSIX shell command language, 2.8.2: what a shell, and so every executor, says with these. */
const exitMeanings: Readonly<Record<number, string>> = {
  126: 'a program was found but could not be executed',
  127: 'a program was not found',
};

/** What a person can do about the exit of a command; what its container says comes first. */
export function hintOf(container: EndedContainer | undefined): string | undefined {
  const { hint } = splitDetail(container);
  if (hint === undefined && container?.exit_code === 126)
    return 'its log says why: a file without the mode to execute, or more arguments and variables than the system takes; those go into a file';
  if (hint !== undefined || container?.exit_code !== 127) return hint;
  const [program = ''] = [...(container.runtime_status.entrypoint ?? []), ...container.command];
  return container.container_image === hostImage
    ? `install ${program}, or what it calls, on this machine, or name an image that has it in a DockerRequirement`
    : `is ${program}, or what it calls, in the image, and on its PATH?`;
}

/** `errorDetail` is lines of detail, then a hint that starts with the word. */
export function splitDetail(container: EndedContainer | undefined): {
  readonly detail: string[];
  readonly hint?: string;
} {
  const lines = container?.runtime_status.errorDetail?.split('\n') ?? [];
  const at = lines.findIndex((line) => line.startsWith('hint: '));
  if (at < 0) return { detail: lines };
  return { detail: lines.slice(0, at), hint: lines.slice(at).join('\n').slice('hint: '.length) };
}
