/**
 * Says that this process uses what lies at `path` in a folder that others share: from now on, and while this process lives, nobody who
 * clears what is unused takes it. False when nothing is there (any more). Before every first use by a process; costs three looks.
 */
export type Claim = (path: string) => Promise<boolean>;
