import { createHostExecutor } from '../../src/executor/host/host.ts';
import { createLauncher } from '../../src/executor/process/launcher.ts';
import { perlLauncher } from '../../src/executor/process/launcher-perl.ts';
import { shellLauncher } from '../../src/executor/process/launcher-shell.ts';
import { describeExecutor } from './executor.ts';
import { toLoadableImage } from './executor-images.ts';

for (const [name, program] of Object.entries({ perl: perlLauncher, shell: shellLauncher })) {
  const prepare = async () => ({ executor: createHostExecutor(createLauncher(program)), image: toLoadableImage([]) });
  describeExecutor(`host by ${name}`, prepare, { isolates: false, limitsMemory: false, limitsProcesses: false });
}
