import type { JsonValue } from '../../core/json.ts';
import { membersOf, typeText } from '../link/types.ts';
import type { CwlType, InputParameter, Process } from '../model.ts';

/** An input object to fill in, as YAML: each input with a value of its type, and what it is for as a comment. */
export function makeTemplate(process: Process): string {
  return process.inputs.map(templateLine).join('');
}

function templateLine(input: InputParameter): string {
  const isOptional = input.hasDefault || membersOf(input.type).includes('null');
  const value = input.hasDefault ? (input.default ?? null) : exampleOf(input.type);
  const doc = input.doc ?? input.label;
  const notes = [`type ${JSON.stringify(typeText(input.type))}`, ...(isOptional ? ['(optional)'] : [])];
  const comments =
    doc === undefined
      ? []
      : doc
          .trim()
          .split('\n')
          .map((line) => `# ${line}\n`);
  return `${comments.join('')}${keyOf(input.id)}: ${JSON.stringify(value)}  # ${notes.join(' ')}\n`;
}

/** Plain where YAML reads it as the same text. */
const keyOf = (id: string): string =>
  /^[A-Za-z_][\w.-]*$/.test(id) && !/^(null|true|false|y|n|yes|no|on|off)$/i.test(id) ? id : JSON.stringify(id);

function exampleOf(type: CwlType): JsonValue {
  const [member] = membersOf(type).filter((candidate) => candidate !== 'null');
  switch (member) {
    case undefined:
      return null;
    case 'boolean':
      return false;
    case 'int':
    case 'long':
      return 0;
    case 'float':
    case 'double':
      return 0.1;
    case 'string':
      return 'a_string';
    case 'Any':
      return 'any value';
    case 'File':
      return { class: 'File', path: 'a/file/path' };
    case 'Directory':
      return { class: 'Directory', path: 'a/directory/path' };
  }
  if (!('type' in member)) return exampleOf(member);
  if (member.type === 'array') return [exampleOf(member.items)];
  if (member.type === 'enum') return member.symbols[0] ?? null;
  return Object.fromEntries(member.fields.map((field) => [field.name, exampleOf(field.type)]));
}
