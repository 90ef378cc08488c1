import { toMessage } from '../../core/errors.ts';
import { cwlError } from '../errors.ts';

/** A stretch of a text: an expression with its `$`, or a backslash with what it escapes. */
export interface Token {
  readonly kind: 'expression' | 'escape';
  readonly start: number;
  readonly end: number;
}

type State = 'dollar' | 'paren' | 'brace' | 'single' | 'double' | 'backslash';

/** True where a text has to be evaluated at all. */
export const hasExpression = (text: string): boolean => text.includes('$(') || text.includes('${');

/**
 * The first expression or escape at or after `from`. Quotes inside expressions hide brackets, as the standard's parser does
 * (CWL v1.2 CommandLineTool, "Expressions (Optional)").
 */
export function nextToken(text: string, from: number): Token | undefined {
  const stack: State[] = [];
  let start = from;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    switch (stack.at(-1)) {
      case undefined:
        if (char === '$') stack.push('dollar');
        else if (char === '\\' && at + 1 < text.length) return { kind: 'escape', start: at, end: at + 2 };
        break;
      case 'dollar':
        start = at - 1;
        if (char === '(') stack.push('paren');
        else if (char === '{') stack.push('brace');
        else {
          stack.pop();
          at -= 1;
        }
        break;
      case 'paren':
      case 'brace':
        step(stack, char);
        if (stack.at(-1) === 'dollar') return { kind: 'expression', start, end: at + 1 };
        break;
      case 'single':
      case 'double':
        if (char === '\\') stack.push('backslash');
        else if (char === (stack.at(-1) === 'single' ? "'" : '"')) stack.pop();
        break;
      case 'backslash':
        stack.pop();
    }
  }
  if (stack.length <= 1) return undefined;
  const expected = stack[1] === 'brace' ? '}' : ')';
  throw cwlError(
    'cwl/expression-failed',
    `expression ${JSON.stringify(shorten(text.slice(start)))} has no end: expected "${expected}"`,
  );
}

/** What is wrong with the brackets of a text that may hold expressions; undefined where each expression has its end. */
export function findUnclosed(text: string): string | undefined {
  try {
    for (let token = nextToken(text, 0); token; ) token = nextToken(text, token.end);
    return undefined;
  } catch (error) {
    return toMessage(error);
  }
}

function step(stack: State[], char: string | undefined): void {
  const [open, close] = stack.at(-1) === 'paren' ? ['(', ')'] : ['{', '}'];
  if (char === open) stack.push(stack.at(-1) ?? 'paren');
  else if (char === close) stack.pop();
  else if (char === "'") stack.push('single');
  else if (char === '"') stack.push('double');
}

export const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text);
