import { createHostExecutor } from '../../src/executor/host/host.ts';
import { describeExecutor } from './executor.ts';
import { toLoadableImage } from './executor-images.ts';

describeExecutor('host', async () => ({ executor: createHostExecutor(), image: toLoadableImage([]) }), {
  isolates: false,
  limitsMemory: false,
  limitsProcesses: false,
});
