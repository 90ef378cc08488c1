import { HallmarkError } from '../../core/errors.ts';
import { callCli, type EngineCli, toLine } from '../engine/cli.ts';
import { executorError } from '../errors.ts';

export interface ApptainerProgram {
  readonly cli: EngineCli;
  readonly name: 'apptainer' | 'singularity';
  readonly version: string;
}

/** The first with `--no-mount bind-paths` and `--mount`. */
const oldestVersions = { apptainer: [1, 1], singularity: [3, 10] } as const;

const hint = 'install apptainer 1.1 or newer (or SingularityCE 3.10), or choose another executor';

export interface ProgramOptions {
  readonly environment: Readonly<Record<string, string>>;
  /** The one to take; `apptainer`, else `singularity`, unless said. */
  readonly program?: string;
}

/** Finds apptainer, or the program that it was before. Fails with `executor/unavailable`. */
export async function findProgram(options: ProgramOptions): Promise<ApptainerProgram> {
  const environment = toEngineEnvironment(options.environment);
  const toCli = (program: string): EngineCli => ({ program, globalArgs: ['--silent', '--nocolor'], environment, hint });
  if (options.program !== undefined) return readProgram(toCli(options.program));
  try {
    return await readProgram(toCli('apptainer'));
  } catch (error) {
    // What is told is the absence of the first.
    return readProgram(toCli('singularity')).catch((other: unknown) => {
      throw isMissing(other) ? error : other;
    });
  }
}

const isMissing = (error: unknown): boolean => error instanceof HallmarkError && /not installed/.test(error.message);

async function readProgram(cli: EngineCli): Promise<ApptainerProgram> {
  const { exitCode, stdout, stderr } = await callCli({ ...cli, globalArgs: [] }, ['--version']);
  const [, name, version, major, minor] = stdout.match(/^(apptainer|singularity)\S* version ((\d+)\.(\d+)\S*)/m) ?? [];
  if (exitCode !== 0 || version === undefined || (name !== 'apptainer' && name !== 'singularity')) {
    const said = toLine(stderr || stdout) || `exit code ${exitCode}`;
    throw executorError('executor/unavailable', `${cli.program} does not tell its version: ${said}`, { hint });
  }
  const oldest = oldestVersions[name];
  if (Number(major) > oldest[0] || (Number(major) === oldest[0] && Number(minor) >= oldest[1])) {
    return { cli, name, version };
  }
  const expected = `${name} ${oldest.join('.')} or newer`;
  throw executorError('executor/unavailable', `expected ${expected}, got ${version}`, { hint });
}

/** Of the caller's own variables for the engine those remain that say where it works; the others would change containers. */
function toEngineEnvironment(environment: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(environment).filter(
    ([name]) => !/^(APPTAINER|SINGULARITY)/.test(name) || /_(CACHEDIR|TMPDIR|CONFIGDIR)$/.test(name),
  );
  return Object.fromEntries(kept);
}
