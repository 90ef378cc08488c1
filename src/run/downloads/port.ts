import type { CollectionFile } from '../../keep/collection.ts';

/** Files of the web in Keep. */
export interface Downloads {
  /** The file at `url`, downloaded unless Keep has it and the server says that it is the same. Concurrent callers share one transfer. */
  fetch(url: string): Promise<CollectionFile>;
  /** Whether the server has something there. */
  exists(url: string): Promise<boolean>;
}

export interface UrlQuestion {
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
}

export interface UrlAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Ends early with an error where the connection is cut; has to be read or discarded. */
  readonly body: AsyncIterable<Uint8Array>;
  discard(): void;
}

/** Asks a server, and those that it redirects to. Rejects where none answers; a status is an answer. */
export type AskUrl = (url: string, question: UrlQuestion) => Promise<UrlAnswer>;
