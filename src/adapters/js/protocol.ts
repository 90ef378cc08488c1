/** One evaluation as it goes to the worker. */
export interface WorkerRequest {
  readonly code: string;
  readonly body: boolean;
  /** JSON of `{inputs, self, runtime}`. */
  readonly globals: string;
  readonly library: readonly string[];
  readonly timeoutMs: number;
}

export type WorkerReply =
  /** `json` is absent where the value was `undefined`. */
  | { readonly kind: 'value'; readonly json?: string }
  | { readonly kind: 'error'; readonly message: string; readonly line?: number; readonly inLibrary?: number }
  | {
      readonly kind: 'limit';
      readonly message: string /** The engine itself gave up: its thread ends. */;
      readonly isLast?: true;
    };

/** Once it can evaluate, then a reply to each request. */
export type WorkerMessage = { readonly kind: 'ready' } | WorkerReply;

export interface WorkerSettings {
  readonly memoryBytes: number;
}
