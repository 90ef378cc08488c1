/** Exit codes of the command (design 4.10); 33 is the one that the CWL suites' runner knows; 129, 130 and 143 are the shells' for signals. */
export const exitCodes = {
  success: 0,
  failure: 1,
  usage: 2,
  unsupported: 33,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;
