import type { JsonValue } from '../../core/json.ts';
import { isUnion } from '../link/types.ts';
import type { CwlType, RecordField, SecondaryFile } from '../model.ts';

/** A type as CWL v1.2 writes it. Names are left out: what they stand for is in place. */
export function packType(type: CwlType): JsonValue {
  if (typeof type === 'string') return type;
  if (isUnion(type)) return type.map(packType);
  const binding = type.inputBinding && { inputBinding: { ...type.inputBinding } };
  const label = type.label !== undefined && { label: type.label };
  switch (type.type) {
    case 'array':
      return { type: 'array', items: packType(type.items), ...label, ...binding };
    case 'enum':
      return { type: 'enum', symbols: type.symbols, ...label, ...binding };
    case 'record':
      return { type: 'record', fields: type.fields.map(packField), ...label, ...binding };
  }
}

function packField(field: RecordField): JsonValue {
  const { name, type, label, doc, inputBinding, outputBinding, loadListing } = field;
  return {
    name,
    type: packType(type),
    ...(label !== undefined && { label }),
    ...(doc !== undefined && { doc }),
    ...packFileFields(field),
    ...(field.loadContents && { loadContents: true }),
    ...(loadListing && { loadListing }),
    ...(inputBinding && { inputBinding: { ...inputBinding } }),
    ...(outputBinding && { outputBinding: { ...outputBinding } }),
  };
}

export function packFileFields(parameter: {
  readonly secondaryFiles: readonly SecondaryFile[];
  readonly format: readonly string[];
}): { readonly [field: string]: JsonValue } {
  const { secondaryFiles, format } = parameter;
  const [only] = format;
  return {
    ...(secondaryFiles.length > 0 && { secondaryFiles: secondaryFiles.map((file) => ({ ...file })) }),
    ...(only !== undefined && { format: format.length === 1 ? only : format }),
  };
}
