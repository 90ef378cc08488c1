/**
 * Takes secrets out of text that goes to a log or an error: credentials and signed parameters of URLs, Authorization values,
 * tokens in JSON. What is left still says which host and path it was about.
 */
export function redact(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'<>]*@/gi, '$1***@')
    .replace(
      /([?&](?:[\w.-]*(?:token|signature|sig|credential|password|secret|key|jwt)[\w.-]*)=)[^&\s"'<>#]+/gi,
      '$1***',
    )
    .replace(/(authorization["']?\s*[:=]\s*["']?\w+\s+)[^\s"']+/gi, '$1***')
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/g, '$1 ***')
    .replace(/("(?:[\w-]*(?:token|password|secret|auth)[\w-]*)"\s*:\s*")(?:[^"\\]|\\.)*"/gi, '$1***"')
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '***');
}
