import { findTool } from '../../src/executor/process/find-tool.ts';
import { currentCaller, planIdMap, readIdSources } from '../../src/executor/sandbox/id-map.ts';

/** Who runs the tests has no subordinate ids: every user of an image is the caller (decision 090), so tests of other users are skipped. */
export const hasOneId =
  planIdMap(currentCaller(), await readIdSources((await findTool('newuidmap')) !== undefined)).kind === 'single';

/** The sandbox's folder, in which such a user's layers and builds lie apart. */
export const sandboxFolder = hasOneId ? 'single' : '.';

if (hasOneId)
  console.warn(
    'skipped: tests of several users in an image, since this user has no range in /etc/subuid and /etc/subgid',
  );
