import { arch, cpus, hostname, release, totalmem, version } from 'node:os';

let memo: string | undefined;

/** What this machine is, as JSON: the same for every container of a process. */
export function nodeInfo(): string {
  if (memo === undefined) {
    const processors = cpus();
    const info = {
      hostname: hostname(),
      kernel: { release: release(), version: version(), architecture: arch() },
      cpus: { count: processors.length, model: processors[0]?.model.trim() ?? '' },
      memoryBytes: totalmem(),
      node: process.version,
    };
    memo = `${JSON.stringify(info, null, 2)}\n`;
  }
  return memo;
}
