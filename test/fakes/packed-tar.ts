/** An archive of one file, `f` with the text `x`, as programs packed it that a machine may lack: `tar | bzip2 -9`, `tar | xz -9`. */
export const packedTar = {
  bzip2: Buffer.from(
    'QlpoOTFBWSZTWQ8rrRcAADjbkOkAQABthAAA4QAeQAQAAAggAFRCPUNAANAkSjIGR6gH1ZdMEe0SRr1tWzM1VIaG7MCKQJRLlgLvjjMACqQRh91xVXyGfxdyRThQkA8rrRc=',
    'base64',
  ),
  xz: Buffer.from(
    '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Af/AERdADMAM1AYaImDAdzibiEFRkcnZUmaaB7OkN88LE33h6mUhtP37vrjBSJuoVG0rB/YHcq3a6L1UmKSpXpnqUt1t+WdNgAAAIpS4s4DBqKDAAFggBAAAACKPF4qscRn+wIAAAAABFla',
    'base64',
  ),
};
