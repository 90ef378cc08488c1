/** One step of the file's layout. A step that has landed is never edited: the next one changes what it made. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}
