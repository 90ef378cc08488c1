import type { JsonValue } from '../core/json.ts';

/**
 * Runs JavaScript of documents away from the host: no file, process or network of the host is in its reach, and it is
 * ended at the time and memory limit. Concurrent calls do not see each other.
 */
export interface JsEngine {
  /**
   * Value of `code` (an expression, or with `body` the body of a function) where `globals` are variables and `library`
   * (InlineJavascriptRequirement.expressionLib, in order) has been run before. Fails with `cwl/expression-failed` or
   * `cwl/expression-limit`.
   */
  evaluate(request: JsRequest): Promise<JsonValue>;
  close(): Promise<void>;
}

export interface JsRequest {
  readonly code: string;
  readonly body: boolean;
  readonly globals: { readonly inputs: JsonValue; readonly self: JsonValue; readonly runtime: JsonValue };
  readonly library: readonly string[];
  readonly timeoutMs: number;
}

/** Reads documents. Only the schemes and roots that it was made for; anything else fails with `cwl/fetch-refused`. */
export interface Fetcher {
  /** Text of the document at the absolute `uri` (without fragment). */
  fetchText(uri: string): Promise<string>;
  /** Whether something can be read there. */
  exists(uri: string): Promise<boolean>;
}
