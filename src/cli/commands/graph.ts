import { writeFile } from 'node:fs/promises';
import { toMessage } from '../../core/errors.ts';
import { loadProcess } from '../../cwl/load.ts';
import type { Process } from '../../cwl/model.ts';
import { parseCommandArgs } from '../arguments/command-args.ts';
import { usageOf } from '../arguments/command-help.ts';
import { toDocumentUri } from '../document/document-uri.ts';
import { cliError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { createReach } from '../wire/documents.ts';

const usage = usageOf('graph');
const options = {
  svg: { type: 'boolean' },
  dot: { type: 'boolean' },
  output: { type: 'string', short: 'o' },
} as const;

/** `cwl-runner graph DOCUMENT [--svg|--dot] [-o FILE]`: draws the workflow; SVG unless the flag or the file's name say DOT. */
export async function graphCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandArgs(args, options, 'graph');
  const [document, ...more] = positionals;
  if (document === undefined || more.length > 0)
    throw cliError('cli/usage', `graph: expected one document, got ${positionals.length}`, { hint: usage });
  if (values.svg && values.dot)
    throw cliError('cli/usage', 'graph: expected one of --svg and --dot, got both', { hint: usage });
  const uri = await toDocumentUri(document);
  const reach = createReach();
  reach.trust(uri);
  const process = await loadProcess(uri, { fetcher: reach.fetcher });
  const isDot = values.dot === true || (!values.svg && /\.(dot|gv)$/.test(values.output ?? ''));
  await write(await draw(process, isDot), values.output);
  return exitCodes.success;
}

async function draw(process: Process, isDot: boolean): Promise<string> {
  if (isDot) return (await import('../../cwl/output/dot.ts')).toDot(process);
  return (await import('../../cwl/output/graph/svg.ts')).toSvg(process);
}

async function write(text: string, file: string | undefined): Promise<void> {
  if (file === undefined || file === '-') {
    process.stdout.write(text);
    return;
  }
  await writeFile(file, text).catch((cause: unknown) => {
    throw cliError('cli/not-found', `cannot write ${file}: ${toMessage(cause)}`, {
      hint: 'give a file in a folder that exists and that you may write to',
      cause,
    });
  });
}
