import { describeBuildSandbox } from '../contract/build-sandbox.ts';
import { createFakeBuildSandbox } from './build-sandbox.ts';

describeBuildSandbox('fake', async () => ({ sandbox: createFakeBuildSandbox() }), { isReal: false });
