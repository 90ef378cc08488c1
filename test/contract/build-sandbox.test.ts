import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBuildSandbox } from '../../src/executor/sandbox/build.ts';
import { createGround } from '../../src/executor/sandbox/ground.ts';
import { describeBuildSandbox } from './build-sandbox.ts';
import { hasOneId } from './one-id.ts';

// A single id has no builds without perl.
const ways = { namespaces: false, ...(hasOneId ? {} : { 'namespaces without perl': true }) };
for (const [name, withoutPerl] of Object.entries(ways)) {
  describeBuildSandbox(
    name,
    async () => {
      const home = mkdtempSync(join(tmpdir(), 'sandbox-home-'));
      const ground = createGround({ home, withoutPerl });
      return {
        sandbox: createBuildSandbox(ground),
        close: async () => {
          await (await (await ground()).namespace()).close();
          rmSync(home, { recursive: true, force: true });
        },
      };
    },
    { isReal: true },
  );
}
