/** What a field may hold. A list of shapes is a union. */
export type Shape = Atom | readonly Shape[] | ListShape | EnumShape | MapShape | RecordShape | VersionedShape;

export type Atom =
  | 'null'
  | 'string'
  | 'boolean'
  | 'int'
  | 'number'
  /** A string that holds `$(` or `${`. */
  | 'expression'
  | 'any'
  /** A type; read with its names by `build/type.ts`. */
  | 'type'
  /** A process in place; checked on its own. */
  | 'process'
  | 'requirements'
  | 'hints';

export interface ListShape {
  readonly list: Shape;
}

export interface EnumShape {
  readonly oneOf: readonly string[];
}

/** A list of `item`, or a mapping from `subject` to the rest or, with `predicate`, to that field alone (Schema Salad, "Identifier maps"). */
export interface MapShape {
  readonly item: RecordShape;
  readonly subject: string;
  readonly predicate?: string;
}

/** An alternative of a union that only versions since `from`, or older than `before`, have. */
export interface VersionedShape {
  readonly from?: 'v1.1' | 'v1.2';
  readonly before?: 'v1.2';
  readonly versioned: Shape;
}

export interface FieldShape {
  readonly shape: Shape;
  readonly required?: boolean;
  readonly since?: 'v1.1' | 'v1.2' | 'v1.3';
}

export interface RecordShape {
  readonly name: string;
  readonly fields: Readonly<Record<string, FieldShape>>;
}

export const list = (item: Shape): ListShape => ({ list: item });
export const oneOf = (...symbols: readonly string[]): EnumShape => ({ oneOf: symbols });
export const optional = (shape: Shape): FieldShape => ({ shape });
export const required = (shape: Shape): FieldShape => ({ shape, required: true });
export const since = (version: 'v1.1' | 'v1.2' | 'v1.3', shape: Shape): FieldShape => ({ shape, since: version });
export const from = (version: 'v1.1' | 'v1.2', shape: Shape): VersionedShape => ({ from: version, versioned: shape });
export const before = (version: 'v1.2', shape: Shape): VersionedShape => ({ before: version, versioned: shape });
export const record = (name: string, fields: Readonly<Record<string, FieldShape>>): RecordShape => ({ name, fields });
export const idMap = (item: RecordShape, subject: string, predicate?: string): MapShape => ({
  item,
  subject,
  ...(predicate !== undefined && { predicate }),
});
