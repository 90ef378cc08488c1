import { StringDecoder } from 'node:string_decoder';
import { createRedactor } from '../../../image/build/run/redact.ts';
import type { BuiltinReport } from '../../port.ts';

const tailLines = 20;
/** `#7 [2/3] RUN make` of BuildKit, `STEP 2/3: RUN make` of buildah. */
const stepPattern = /^(?:#\d+ \[(?:[^\]]* )?(\d+\/\d+)\]|(?:\[\d+\/\d+\] )?STEP (\d+\/\d+):) (.*)/;

/** Passes on what an engine says, without the secrets, tells the step that it is at, and keeps the last lines. */
export function createBuildOutput(secrets: Iterable<Uint8Array>, report: BuiltinReport) {
  const needles = [...secrets];
  let lines: string[] = [];
  const open = (stream: 'stdout' | 'stderr') => {
    const decoder = new StringDecoder('utf8');
    const redactor = createRedactor(needles);
    let partial = '';
    const pass = (text: string): void => {
      if (text === '') return;
      report.output(stream, text);
      const rows = (partial + text).split(/\r?\n/);
      partial = (rows.pop() ?? '').slice(-4096);
      for (const row of rows) noteStep(row, report);
      lines = [...lines, ...rows.filter((row) => row.trim() !== '')].slice(-tailLines);
    };
    return {
      write: (chunk: Uint8Array) => pass(redactor.push(decoder.write(chunk))),
      end: () => {
        pass(redactor.push(decoder.end()) + redactor.flush());
        if (partial.trim() !== '') lines.push(partial);
      },
    };
  };
  const streams = { stdout: open('stdout'), stderr: open('stderr') };
  return {
    write: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => streams[stream].write(chunk),
    end: () => {
      streams.stdout.end();
      streams.stderr.end();
    },
    tail: () => lines.join('\n'),
    lastLine: () => (lines.at(-1) ?? 'it said nothing').replace(/^(Error|ERROR): /, ''),
  };
}

function noteStep(row: string, report: BuiltinReport): void {
  const [, docker, buildah, text] = stepPattern.exec(row) ?? [];
  if (text !== undefined) report.activity(`[${docker ?? buildah}] ${text}`);
}
