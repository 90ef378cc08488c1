import type { PortableDataHash } from '../../core/ids.ts';
import type { CollectionFile } from '../../keep/collection.ts';
import type { KeptHeaders } from './freshness.ts';

/** Files of the web in Keep. */
export interface Downloads {
  /** The file at `url`, downloaded unless Keep has it and the server says that it is the same. Concurrent callers share one transfer. */
  fetch(url: string, signal?: AbortSignal): Promise<CollectionFile>;
  /**
   * As `fetch`, and says what names and dates the file. Where Keep has the file of that `sha256` from there, no server is asked; where it
   * has another one, the server is, fresh or not.
   */
  fetchDated(url: string, options?: DatedOptions): Promise<DatedDownload>;
  /** Whether the server has something there. */
  exists(url: string): Promise<boolean>;
}

export interface DatedOptions {
  /** Hex digits. */
  readonly sha256?: string | undefined;
  readonly signal?: AbortSignal;
}

/** A download as what is made from it is to be told. */
export interface DatedDownload {
  /** The collection, whose only file it is. */
  readonly portableDataHash: PortableDataHash;
  /** Hex digits. */
  readonly sha256: string;
  readonly said: KeptHeaders;
}

export interface UrlQuestion {
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the transfer, whose body then fails. */
  readonly signal?: AbortSignal;
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
