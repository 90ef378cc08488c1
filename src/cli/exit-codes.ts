/** Exit codes of the command (design 4.10); 33 is the one that the CWL suites' runner knows. */
export const exitCodes = { success: 0, failure: 1, usage: 2, unsupported: 33 } as const;
