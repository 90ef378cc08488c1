import { answerMs, callCli, type EngineCli } from './cli.ts';
import { removeContainers } from './remove.ts';
import { namePrefix } from './run-args.ts';

/** Removes our containers whose id is nobody's any more, running or not. */
export async function reapByEngine(cli: EngineCli, isOwned: (id: string) => boolean): Promise<void> {
  const { exitCode, stdout } = await callCli(cli, ['ps', '--all', '--format', '{{.Names}}'], { timeoutMs: answerMs });
  if (exitCode !== 0) return;
  const orphans = stdout
    .split('\n')
    .filter((name) => name.startsWith(namePrefix) && !isOwned(name.slice(namePrefix.length)));
  if (orphans.length > 0) await removeContainers(cli, orphans);
}
