import { createRedactedStreams } from '../../../image/build/run/redact.ts';
import type { BuiltinReport } from '../../port.ts';

const tailLines = 20;
/** `#7 [2/3] RUN make` of BuildKit, `STEP 2/3: RUN make` of buildah. */
const stepPattern = /^(?:#\d+ \[(?:[^\]]* )?(\d+\/\d+)\]|(?:\[\d+\/\d+\] )?STEP (\d+\/\d+):) (.*)/;

/** Passes on what an engine says, without the secrets, tells the step that it is at, and keeps the last lines. */
export function createBuildOutput(secrets: Iterable<Uint8Array>, report: BuiltinReport) {
  const partial = { stdout: '', stderr: '' };
  let lines: string[] = [];
  const streams = createRedactedStreams(secrets, (stream, text) => {
    report.output(stream, text);
    const rows = (partial[stream] + text).split(/\r?\n/);
    partial[stream] = (rows.pop() ?? '').slice(-4096);
    for (const row of rows) noteStep(row, report);
    lines = [...lines, ...rows.filter((row) => row.trim() !== '')].slice(-tailLines);
  });
  return {
    write: streams.write,
    end: () => {
      streams.end();
      lines.push(...[partial.stdout, partial.stderr].filter((rest) => rest.trim() !== ''));
    },
    tail: () => lines.join('\n'),
    lastLine: () => (lines.at(-1) ?? 'it said nothing').replace(/^(Error|ERROR): /, ''),
  };
}

function noteStep(row: string, report: BuiltinReport): void {
  const [, docker, buildah, text] = stepPattern.exec(row) ?? [];
  if (text !== undefined) report.activity(`[${docker ?? buildah}] ${text}`);
}
