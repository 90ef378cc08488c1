/** Where a cluster is and who asks: what the variables `ARVADOS_…` say. */
export interface ArvadosSettings {
  /** `https://HOST[:PORT]`, without a path. */
  readonly url: string;
  readonly token: string;
  /** Take any certificate: `ARVADOS_API_HOST_INSECURE`. */
  readonly insecure: boolean;
  /** Keep services to use instead of those that the cluster names: `ARVADOS_KEEP_SERVICES`. */
  readonly keepServices: readonly string[];
}
