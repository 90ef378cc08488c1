import { didYouMean } from '../../../core/nearest.ts';
import type { Platform } from '../../model.ts';
import { formatPlatform, hostPlatform } from '../../platform.ts';
import { expandWord } from '../dockerfile/expand.ts';
import type { Instruction } from '../dockerfile/instructions.ts';
import type { Problems } from '../dockerfile/problems.ts';

/** Given to RUN without an ARG, and neither in the history nor in the cache key (Dockerfile reference, "Predefined ARGs"). */
export const proxyArgs: readonly string[] = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap(
  (name) => [name, name.toLowerCase()],
);

const builderArgs = ['SOURCE_DATE_EPOCH', 'BUILDKIT_SYNTAX', 'BUILDKIT_INLINE_CACHE', 'BUILDKIT_CONTEXT_KEEP_GIT_DIR'];

/** Dockerfile reference, "Automatic platform ARGs in the global scope". */
export function platformArgs(target: Platform, stageName: string): Record<string, string> {
  const of = (prefix: string, { os, architecture, variant = '' }: Platform) => ({
    [`${prefix}PLATFORM`]: formatPlatform({ os, architecture, variant }),
    [`${prefix}OS`]: os,
    [`${prefix}ARCH`]: architecture,
    [`${prefix}VARIANT`]: variant,
  });
  return { ...of('BUILD', hostPlatform()), ...of('TARGET', target), TARGETSTAGE: stageName || 'default' };
}

export interface GlobalArgOptions {
  readonly automatic: Readonly<Record<string, string>>;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly escapeChar: string;
}

/** Values of the ARGs before the first FROM. One without a value and without a build argument is declared, not set. */
export function evaluateGlobalArgs(
  instructions: readonly Instruction[],
  { automatic, buildArgs, escapeChar }: GlobalArgOptions,
  problems: Problems,
): Record<string, string> {
  const values: Record<string, string> = { ...automatic };
  for (const name of Object.keys(automatic)) if (buildArgs[name] !== undefined) values[name] = buildArgs[name];
  for (const instruction of instructions) {
    if (instruction.kind === 'from') break;
    if (instruction.kind !== 'arg') continue;
    for (const { name, value } of instruction.pairs) {
      const given = buildArgs[name];
      const lookup = (key: string) => values[key];
      const expand = () => (value === undefined ? undefined : expandWord(value, lookup, { escape: escapeChar }));
      const result = given ?? problems.attempt(instruction.line, expand);
      if (result !== undefined) values[name] = result;
    }
  }
  return values;
}

/** A build argument that no ARG takes up is a mistake: it changes the request, and nothing that is built. */
export function checkBuildArgs(
  instructions: readonly Instruction[],
  given: Readonly<Record<string, string>>,
  automatic: readonly string[],
  problems: Problems,
): void {
  const declared = instructions.flatMap((instruction) =>
    instruction.kind === 'arg' ? instruction.pairs.map(({ name }) => name) : [],
  );
  const known = new Set([...declared, ...proxyArgs, ...builderArgs, ...automatic]);
  for (const [name, value] of Object.entries(given)) {
    if (isSecret(name, value)) {
      const hint = `give it as a secret, and read it with RUN --mount=type=secret,id=${name}`;
      problems.report(undefined, `the build argument ${name} looks like a secret, which the image would keep`, hint);
    }
    if (known.has(name)) continue;
    const hint = didYouMean(name, declared) ?? `add "ARG ${name}" to the Dockerfile, or leave the argument out`;
    problems.report(undefined, `the build argument ${name} is not declared by any ARG`, hint);
  }
}

const secretName =
  /(^|_)(passw(or)?d|pword|passphrase|secret|token|credentials?|api_?key|(access|private|secret|ssh)_?key)(_|$)/i;
const urlWithPassword = /:\/\/[^\s/@:]*:[^\s/@]+@/;

/** Build arguments are in the history and in the request. Proxies alone are in neither. */
function isSecret(name: string, value: string): boolean {
  if (proxyArgs.includes(name)) return false;
  return secretName.test(name) || urlWithPassword.test(value);
}
