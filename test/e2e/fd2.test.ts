import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProblems, prepare, samples } from './kill.ts';
import { createRunner, type Runner, startToolsRegistry } from './runner.ts';

const isRoot = process.getuid?.() === 0;
const rounds = Number(process.env.FULL_DISK_ROUNDS ?? 2);

/**
 * Runs the command in a home on a disk of its own with so many bytes left, then again when there is room; `warm`: after a run that
 * had room, too. What the home holds at the end is copied out.
 */
const script = `
free=$1 warm=$2 home=$3 copy=$4; shift 4
mount -t tmpfs -o size=256m none "$home"
if [ $warm = true ]; then "$@" || exit; fi
available=$(df --output=avail --block-size=1 "$home" | tail -n 1)
if [ $((available > free)) = 1 ]; then head -c $((available - free)) /dev/zero > "$home/filler"; fi
"$@" > "$copy.out" 2> "$copy.err"; echo $? > "$copy.code"
rm -f "$home/filler"
du --summarize --block-size=1 "$home" > "$copy.used"
"$@"; code=$?
cp -a "$home" "$copy"
exit $code`;

interface Round {
  /** Of the run on the full disk. */
  readonly first: { readonly exitCode: number; readonly stderr: string; readonly usedBytes: number };
  readonly second: { readonly exitCode: number | null; readonly stderr: string };
  readonly problems: readonly string[];
}

async function runOnDisk(base: string, freeBytes: number, warm: boolean): Promise<Round> {
  const runner = createRunner('full-disk');
  try {
    const copy = join(runner.folder, 'copy');
    const settings = [String(Math.round(freeBytes)), String(warm), runner.home, copy];
    const args = [...prepare(runner, base), ...(warm ? ['--disable-reuse'] : [])];
    const { exitCode, stderr } = await runner.run(args, {
      through: ['unshare', '--mount', 'sh', '-c', script, 'sh', ...settings],
    });
    const told = (name: string) => readFileSync(`${copy}.${name}`, 'utf8');
    const first = { exitCode: Number(told('code')), stderr: told('err'), usedBytes: Number.parseInt(told('used'), 10) };
    return { first, second: { exitCode, stderr }, problems: await problemsOf(runner, copy) };
  } finally {
    await runner.remove();
  }
}

async function problemsOf(runner: Runner, copy: string): Promise<string[]> {
  if (!existsSync(copy)) return ['there is no home'];
  rmSync(runner.home, { recursive: true });
  renameSync(copy, runner.home);
  const text = readFileSync(join(runner.folder, 'out/all.txt'), 'utf8');
  const lost = text === samples.map((name) => `one\n${name}\n`).join('') ? [] : [`the output is ${text}`];
  // The warm rounds have work that is done again on purpose.
  const problems = (await findProblems(runner)).filter((problem) => !/^ran to its end twice/.test(problem));
  return [...lost, ...problems];
}

describe.runIf(isRoot)('a disk that becomes full', { timeout: 600_000 }, () => {
  let registry: Awaited<ReturnType<typeof startToolsRegistry>>;
  beforeAll(async () => {
    registry = await startToolsRegistry();
  });
  afterAll(() => registry.close());

  async function checkRound(freeBytes: number, warm: boolean): Promise<void> {
    const { first, second, problems } = await runOnDisk(registry.tools, freeBytes, warm);
    const { exitCode, stderr } = first;
    if (process.env.FULL_DISK_ROUNDS) console.log(warm, Math.round(freeBytes), exitCode, stderr.slice(-600));
    expect({ freeBytes, problems, second }).toMatchObject({ problems: [], second: { exitCode: 0 } });
    if (exitCode === 0) return;
    expect({ freeBytes, stderr }).toMatchObject({ stderr: expect.stringMatching(/no space left|disk is full/i) });
    expect(stderr).toMatch(/hint: .*(free some space|HALLMARK_HOME)/);
  }

  it('while images are made ends the run with a word on it, and harms nothing that the next one needs', async () => {
    const whole = await runOnDisk(registry.tools, 2 ** 30, false);
    expect(whole).toMatchObject({ first: { exitCode: 0 }, second: { exitCode: 0 }, problems: [] });
    for (let round = 0; round < rounds; round += 1) {
      await checkRound(((round + Math.random()) / rounds) * 1.5 * whole.first.usedBytes, false);
    }
  });

  it('while steps run does, too', async () => {
    for (let round = 0; round < rounds; round += 1)
      await checkRound(120_000 + Math.random() * 20_000, true);
  });
});
