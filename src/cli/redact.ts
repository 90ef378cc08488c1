/** The URL without user, password or query: what may be printed and recorded. Text that is no URL comes back as it is. */
export function redactUrl(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  try {
    const url = new URL(text);
    const hidden = url.username !== '' || url.password !== '' || url.search !== '';
    url.username = '';
    url.password = '';
    url.search = '';
    return hidden ? url.href : text;
  } catch {
    return '(unreadable URL)';
  }
}
