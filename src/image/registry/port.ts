import type { Readable } from 'node:stream';
import type { ImageReference } from '../reference.ts';

/** What a registry is logged in to with: a password, or the refresh token that `docker login` stores as "identitytoken". */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity-token'; readonly token: string };

/** Where credentials come from. Called when a registry asks for them, for that registry's repository only. */
export interface CredentialStore {
  /** `registry` as in references (`docker.io`, `host:5000`). Undefined: ask as nobody. */
  find(registry: string, repository: string): Promise<Credentials | undefined>;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Takes any TLS certificate: `insecure = true` in registries.conf. */
  readonly insecure?: boolean;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Must be read or destroyed. */
  readonly body: Readable;
}

/** One request, no redirects followed, no retries: any status is an answer. Rejects with the network's error. */
export type HttpSend = (request: HttpRequest) => Promise<HttpResponse>;

/** One place where a repository can be asked for: the registry itself or a mirror of it. */
export interface RegistryEndpoint {
  /** `host[:port]` as in references: credentials are looked up by it. */
  readonly registry: string;
  readonly repository: string;
  /** Plain HTTP and any certificate are taken. */
  readonly insecure: boolean;
  readonly isMirror: boolean;
}

/** What the configuration says of registries. */
export interface RegistryDirectory {
  /** What a reference may stand for, first choice first: one, but for short names. */
  candidates(reference: ImageReference): readonly ImageReference[];
  /** Where to ask for it, mirrors first, the registry itself last. Fails with `image/registry-blocked`. */
  endpoints(reference: ImageReference): readonly RegistryEndpoint[];
}
