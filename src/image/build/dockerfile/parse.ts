import { didYouMean } from '../../../core/nearest.ts';
import { imageError } from '../../errors.ts';
import type { Instruction } from './instructions.ts';
import { type InstructionLine, readLines } from './lines.ts';
import { parsers } from './parsers.ts';
import type { Problems } from './problems.ts';

/** A Dockerfile as it is written: nothing is expanded yet. */
export interface Dockerfile {
  readonly fileName: string;
  readonly text: string;
  /** The parser directive `escape`: `\` or a backquote. */
  readonly escapeChar: string;
  readonly instructions: readonly Instruction[];
}

/** Parses a Dockerfile. What is wrong goes to `problems`, each part with its line. */
export function parseDockerfile(text: string, problems: Problems): Dockerfile {
  const { lines, escapeChar, syntax } = readLines(text, problems);
  if (syntax !== undefined) checkSyntax(syntax, problems);
  const instructions: Instruction[] = [];
  for (const line of lines) {
    const instruction = problems.attempt(line.line, () => parseInstruction(line, escapeChar));
    if (instruction) instructions.push(instruction);
  }
  if (lines.length === 0) problems.report(1, 'expected instructions, got an empty Dockerfile');
  return { fileName: problems.fileName, text, escapeChar, instructions };
}

function parseInstruction(line: InstructionLine, escapeChar: string): Instruction {
  const parser = Object.hasOwn(parsers, line.keyword) ? parsers[line.keyword] : undefined;
  if (!parser) {
    const hint = didYouMean(line.keyword, Object.keys(parsers));
    throw imageError('image/bad-dockerfile', `unknown instruction ${line.keyword}`, hint ? { hint } : {});
  }
  const { line: number, endLine, text } = line;
  return { line: number, endLine, text, ...parser(line, escapeChar) } as Instruction;
}

/** Our parser is frontend 1.x: what names that is meant for it, and what names another is a program that we would have to run. */
function checkSyntax(syntax: string, problems: Problems): void {
  if (/^(docker\.io\/)?docker\/dockerfile(:1(\.\d+)*(-labs)?|:latest|:labs)?(@sha256:[0-9a-f]{64})?$/.test(syntax))
    return;
  problems.unsupported(
    1,
    `the frontend "${syntax}" is not supported, expected docker/dockerfile:1`,
    'remove the syntax directive: a frontend is a program that the registry could change',
  );
}
