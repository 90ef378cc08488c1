import { isJsonObject, toCanonicalJson } from '../../../core/json.ts';
import type { HistoryEntry, Image, ImageConfig, Layer, Platform } from '../../model.ts';
import { digestOf } from '../../streams.ts';
import type { Lookup } from '../dockerfile/expand.ts';

/** The `config` of an image configuration, open for what we do not know. */
export type RuntimeConfig = NonNullable<ImageConfig['config']>;

/** What a stage is after some of its instructions. Immutable: each instruction gives a new one. */
export interface StageState {
  readonly layers: readonly Layer[];
  readonly history: readonly HistoryEntry[];
  readonly config: RuntimeConfig;
  /** Fields of the image configuration beside `config`, `rootfs` and `history`. */
  readonly outer: Readonly<Record<string, unknown>>;
  /** What `$NAME` stands for: ENV and declared ARGs, the later one winning. */
  readonly scope: Readonly<Record<string, string>>;
  /** Names of declared ARGs in the order of their declaration, for the history. */
  readonly args: readonly string[];
  /** Set once the stage has a CMD of its own, which ENTRYPOINT then leaves alone. */
  readonly hasOwnCmd: boolean;
  /** The image that it still is, while no instruction has changed anything. */
  readonly unchanged?: Image;
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const keptFields = ['os', 'architecture', 'variant', 'os.version', 'os.features', 'author'];

export function scratchState(platform: Platform): StageState {
  return withPath({
    layers: [],
    history: [],
    config: { WorkingDir: '/' },
    outer: { ...platform },
    scope: {},
    args: [],
    hasOwnCmd: false,
  });
}

export function imageState(image: Image): StageState {
  const { config = {}, history = [] } = image.config;
  const parsed: unknown = JSON.parse(Buffer.from(image.configBytes).toString());
  const fields = isJsonObject(parsed) ? parsed : {};
  const outer = Object.fromEntries(Object.entries(fields).filter(([key]) => keptFields.includes(key)));
  const runtime = isJsonObject(fields.config) ? (fields.config as RuntimeConfig) : config;
  const state = { layers: image.layers, history, config: runtime, outer, args: [], hasOwnCmd: false, unchanged: image };
  return withPath({ ...state, scope: toScope(runtime.Env ?? []) });
}

/** A stage that starts from another: its ARGs come along, its ONBUILD triggers have become instructions. */
export function childState(parent: StageState): StageState {
  const { OnBuild: _triggers, ...config } = parent.config;
  return { ...parent, config, hasOwnCmd: false };
}

/** A config always has a PATH, so that commands without a slash are found. */
function withPath(state: StageState): StageState {
  if (state.scope.PATH !== undefined) return state;
  const Env = [...(state.config.Env ?? []), `PATH=${defaultPath}`];
  return { ...state, config: { ...state.config, Env }, scope: { ...state.scope, PATH: defaultPath } };
}

const toScope = (env: readonly string[]): Record<string, string> =>
  Object.fromEntries(env.map((entry) => [entry.slice(0, indexOfEquals(entry)), entry.slice(indexOfEquals(entry) + 1)]));

const indexOfEquals = (entry: string) => (entry.includes('=') ? entry.indexOf('=') : entry.length);

export const lookupIn =
  (state: StageState): Lookup =>
  (name) =>
    Object.hasOwn(state.scope, name) ? state.scope[name] : undefined;

/** Sets `NAME=value` at its place in `Env`, or at the end. */
export function withEnv(state: StageState, name: string, value: string): StageState {
  const env = [...(state.config.Env ?? [])];
  const at = env.findIndex((entry) => entry.slice(0, indexOfEquals(entry)) === name);
  env.splice(at < 0 ? env.length : at, at < 0 ? 0 : 1, `${name}=${value}`);
  return { ...state, config: { ...state.config, Env: env }, scope: { ...state.scope, [name]: value } };
}

export function withConfig(state: StageState, change: Partial<RuntimeConfig>): StageState {
  return { ...state, config: { ...state.config, ...change } };
}

/** Notes what an instruction did. A layer without any entry is none. */
export function withHistory(state: StageState, createdBy: string, clampSeconds: number, layer?: Layer): StageState {
  const added = layer && layer.diffId !== emptyDiffId ? layer : undefined;
  const entry = {
    created: toTimestamp(clampSeconds),
    created_by: createdBy,
    comment: 'hallmark',
    ...(!added && { empty_layer: true }),
  };
  const { unchanged: _unchanged, ...rest } = state;
  return { ...rest, history: [...state.history, entry], layers: added ? [...state.layers, added] : state.layers };
}

/** Digest of an archive without entries: two zero blocks. */
const emptyDiffId = digestOf(Buffer.alloc(1024));

const toTimestamp = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

/** OCI image-spec 1.1, "Image Configuration", as canonical JSON: equal states give equal image hashes. */
export function toImage(state: StageState, clampSeconds: number): Image {
  if (state.unchanged) return state.unchanged;
  const config = {
    ...state.outer,
    created: toTimestamp(clampSeconds),
    config: state.config,
    rootfs: { type: 'layers', diff_ids: state.layers.map(({ diffId }) => diffId) },
    history: state.history,
  } as unknown as ImageConfig;
  const configBytes = Buffer.from(toCanonicalJson(config));
  return { imageHash: digestOf(configBytes), configBytes, config, layers: state.layers };
}
