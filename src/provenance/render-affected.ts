import type { Affected } from './affected.ts';
import { oneLine, toTime } from './text.ts';

/** For people: the images and steps, a line each, then each run with its affected outputs. Ends with a newline. */
export function renderAffected({ effects, runs }: Affected): string {
  if (effects.length === 0) return 'nothing that the cluster holds was made with it\n';
  const made = effects.map(
    ({ kind, collection, requestName, request }) =>
      `${kind.padEnd(5)}  ${collection}  "${oneLine(requestName)}" ${request}`,
  );
  const ended = runs.flatMap(({ run, name, createdAt, outputs }) => [
    `run ${run} "${oneLine(name)}", ${toTime(createdAt)}: ${outputs.length} of its outputs`,
    ...outputs.map(({ output, location }) => `  ${oneLine(output)}  ${oneLine(location)}`),
  ]);
  return `${[...made, ...ended].join('\n')}\n`;
}
