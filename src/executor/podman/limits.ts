import { answerMs, callCli, type EngineCli } from '../engine/cli.ts';

/**
 * Whether this podman makes limits hold. A rootless one has the controllers that were delegated to its user, and none in version 1
 * of control groups: there it would warn on the standard error of every container.
 */
export function createLimitCheck(cli: EngineCli): () => Promise<boolean> {
  let known: Promise<boolean> | undefined;
  return async () => {
    if (process.getuid?.() === 0) return true;
    known ??= hasControllers(cli);
    return known;
  };
}

async function hasControllers(cli: EngineCli): Promise<boolean> {
  const args = ['info', '--format', '{{.Host.Security.Rootless}} {{.Host.CgroupControllers}}'];
  const { stdout } = await callCli(cli, args, { timeoutMs: answerMs });
  return !stdout.startsWith('true') || ['memory', 'pids'].every((name) => stdout.includes(name));
}
