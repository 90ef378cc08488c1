import type { Uuid } from '../core/ids.ts';
import type { Records, Resource } from './records.ts';

/** `[attribute, operator, operand]`: Arvados API, "Common resource methods", filters. `properties.x` names a property. */
export type Filter = readonly [attribute: string, operator: FilterOperator, operand: unknown];
/** Arvados API, "Common resource methods", filters; `like` and `ilike` take `%` and `_`. */
export type FilterOperator =
  | '='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'in'
  | 'not in'
  | 'like'
  | 'ilike'
  | 'exists'
  | 'contains'
  | 'is_a'
  /** On `container_image` only: names, hashes or PDHs of images, one or an array (Arvados #2879). */
  | 'in docker'
  | 'not in docker';

/** Arvados API, "Common resource methods", list. */
export interface ListQuery {
  readonly filters?: readonly Filter[];
  /** `["created_at desc", "uuid"]`; default: newest first. */
  readonly order?: readonly string[];
  /** Default 100. */
  readonly limit?: number;
  readonly offset?: number;
  /** Attributes wanted; default all but `manifest_text`. */
  readonly select?: readonly string[];
  /** `none` spares the cluster the counting: `itemsAvailable` is then only what the page shows. Default `exact`. */
  readonly count?: 'exact' | 'none';
}

export interface AnswerOptions {
  /** Attributes that the caller looks at: others may be missing in the answer. Default all. */
  readonly select?: readonly string[];
}

export interface ChangeOptions extends AnswerOptions {
  /** The caller goes on meanwhile: the cluster may keep the change together with what it is asked for next. Default false. */
  readonly lazy?: boolean;
}

/** `itemsAvailable`: how many records fit the filters, on all pages. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly itemsAvailable: number;
}

/** A record that has changed; read it to see what it is now. */
export interface ClusterEvent {
  readonly resource: Resource;
  readonly uuid: Uuid;
  /** Those that have changed, where that is known: others have not. */
  readonly attributes?: readonly string[];
}

/**
 * A cluster: the embedded one and a real one answer alike. Calls may run concurrently.
 * Fails with the codes of `ApiErrorCode`; who is told `retryable` may ask again.
 */
export interface ClusterApi {
  get<R extends Resource>(resource: R, uuid: Uuid, options?: AnswerOptions): Promise<Records[R]>;
  list<R extends Resource>(resource: R, query: ListQuery): Promise<ListPage<Records[R]>>;
  /** Omitted attributes take Arvados' defaults. */
  create<R extends Resource>(
    resource: R,
    attributes: Partial<Records[R]>,
    options?: AnswerOptions,
  ): Promise<Records[R]>;
  /** Refuses a change that the state rules forbid with `api/forbidden-change`. */
  update<R extends Resource>(
    resource: R,
    uuid: Uuid,
    attributes: Partial<Records[R]>,
    options?: ChangeOptions,
  ): Promise<Records[R]>;
  remove<R extends Resource>(resource: R, uuid: Uuid): Promise<void>;
  /**
   * Calls back after a record has changed, in this or another process; may coalesce, may report more than asked, never loses
   * the last change. Returns the call that ends it.
   */
  watch(listener: (event: ClusterEvent) => void): () => void;
}
