import { posix } from 'node:path';
import { imageError } from '../../errors.ts';
import { expandWord, expandWords } from '../dockerfile/expand.ts';
import type { CommandLine, Instruction } from '../dockerfile/instructions.ts';
import { checkPorts, checkSignal } from '../plan/checks.ts';
import { lookupIn, type StageState, withConfig, withEnv } from './state.ts';

/** The instructions that change the configuration and make no layer; WORKDIR's directory is made elsewhere. */
export type MetadataInstruction = Exclude<Instruction, { kind: 'run' | 'copy' | 'add' | 'from' | 'workdir' }>;

export interface MetadataContext {
  readonly escapeChar: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly globalArgs: Readonly<Record<string, string>>;
}

/** The state after the instruction, and the line of the history that tells of it. */
export interface Applied {
  readonly state: StageState;
  readonly createdBy: string;
}

export function expandIn(state: StageState, word: string, escapeChar: string): string {
  return expandWord(word, lookupIn(state), { escape: escapeChar });
}

export function applyMetadata(state: StageState, instruction: MetadataInstruction, context: MetadataContext): Applied {
  const expand = (word: string) => expandIn(state, word, context.escapeChar);
  const set = (change: Parameters<typeof withConfig>[1], createdBy: string) => ({
    state: withConfig(state, change),
    createdBy,
  });
  switch (instruction.kind) {
    case 'env': {
      const pairs = instruction.pairs.map(({ name, value }) => [expand(name), expand(value)] as const);
      const next = pairs.reduce((before, [name, value]) => withEnv(before, name, value), state);
      return { state: next, createdBy: `ENV ${pairs.map(([name, value]) => `${name}=${value}`).join(' ')}` };
    }
    case 'arg':
      return applyArgs(state, instruction.pairs, context);
    case 'label': {
      const pairs = instruction.pairs.map(({ name, value }) => [expand(name), expand(value)] as const);
      const Labels = { ...state.config.Labels, ...Object.fromEntries(pairs) };
      return set({ Labels }, `LABEL ${pairs.map(([name, value]) => `${name}=${value}`).join(' ')}`);
    }
    case 'cmd': {
      const Cmd = withShell(state, instruction.command);
      return {
        ...set({ Cmd }, `CMD ${JSON.stringify(Cmd)}`),
        state: { ...withConfig(state, { Cmd }), hasOwnCmd: true },
      };
    }
    case 'entrypoint': {
      const Entrypoint = withShell(state, instruction.command);
      const { Cmd, ...config } = state.config;
      const kept = state.hasOwnCmd && Cmd ? { Cmd } : {};
      const next = { ...state, config: { ...config, ...kept, Entrypoint } };
      return { state: next, createdBy: `ENTRYPOINT ${JSON.stringify(Entrypoint)}` };
    }
    case 'shell':
      return set({ Shell: instruction.command }, `SHELL ${JSON.stringify(instruction.command)}`);
    case 'user': {
      const User = expand(instruction.user);
      return set({ User }, `USER ${User}`);
    }
    case 'stopsignal': {
      const StopSignal = expand(instruction.signal);
      checkSignal(StopSignal);
      return set({ StopSignal }, `STOPSIGNAL ${StopSignal}`);
    }
    case 'maintainer':
      return {
        state: { ...state, outer: { ...state.outer, author: instruction.name } },
        createdBy: `MAINTAINER ${instruction.name}`,
      };
    case 'expose': {
      const ports = instruction.ports.flatMap((port) =>
        expandWords(port, lookupIn(state), { escape: context.escapeChar }),
      );
      return set({ ExposedPorts: { ...state.config.ExposedPorts, ...toExposed(ports) } }, `EXPOSE ${ports.join(' ')}`);
    }
    case 'volume': {
      const paths = instruction.paths.map(expand);
      if (paths.includes('')) throw imageError('image/bad-dockerfile', 'expected paths after VOLUME, got an empty one');
      const Volumes = { ...state.config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
      return set({ Volumes }, `VOLUME ${JSON.stringify(paths)}`);
    }
    case 'healthcheck':
      return set({ Healthcheck: instruction.check }, `HEALTHCHECK ${JSON.stringify(instruction.check)}`);
    case 'onbuild': {
      const OnBuild = [...triggersOf(state), instruction.trigger];
      return set({ OnBuild }, `ONBUILD ${instruction.trigger}`);
    }
  }
}

export function triggersOf(state: StageState): readonly string[] {
  const { OnBuild } = state.config;
  return Array.isArray(OnBuild) ? OnBuild.filter((trigger) => typeof trigger === 'string') : [];
}

/** Shell form goes through the SHELL of this point. */
export function withShell(state: StageState, { form, words }: CommandLine): readonly string[] {
  return form === 'exec' ? words : [...(state.config.Shell ?? ['/bin/sh', '-c']), ...words];
}

type ArgPairs = Extract<Instruction, { kind: 'arg' }>['pairs'];

/** A build argument, else the default, else the value of the global ARG of that name. */
function applyArgs(before: StageState, pairs: ArgPairs, context: MetadataContext): Applied {
  let state = before;
  const told: string[] = [];
  for (const { name, value } of pairs) {
    const fallback = value === undefined ? context.globalArgs[name] : expandIn(state, value, context.escapeChar);
    const result = context.buildArgs[name] ?? fallback;
    const scope = result === undefined ? state.scope : { ...state.scope, [name]: result };
    state = { ...state, scope, args: [...state.args.filter((each) => each !== name), name] };
    told.push(result === undefined ? name : `${name}=${result}`);
  }
  return { state, createdBy: `ARG ${told.join(' ')}` };
}

function toExposed(ports: readonly string[]): Record<string, object> {
  const exposed: Record<string, object> = {};
  for (const port of ports) {
    checkPorts(port, '\\');
    const [range = '', protocol = 'tcp'] = port.toLowerCase().split('/');
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let each = first; each <= last; each += 1) exposed[`${each}/${protocol}`] = {};
  }
  return exposed;
}

/** WORKDIR: relative to the one before, normal, without a slash at its end. */
export function resolveWorkdir(state: StageState, path: string): string {
  return posix.join(posix.resolve('/', state.config.WorkingDir ?? '/', path));
}
