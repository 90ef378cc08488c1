import { expect, it } from 'vitest';
import { redactUrl } from './redact.ts';

it.each([
  ['https://git.example/a.git', 'https://git.example/a.git'],
  ['https://ada:secret@git.example/a.git', 'https://git.example/a.git'],
  ['https://token@git.example/a.git', 'https://git.example/a.git'],
  ['HTTPS://ada:secret@git.example/a', 'https://git.example/a'],
  ['https://git.example/a?token=secret#x', 'https://git.example/a#x'],
  ['https://ada:se cret@git.example:99999/', '(unreadable URL)'],
  ['git@git.example:ada/a.git', 'git@git.example:ada/a.git'],
  ['/home/ada/a.git', '/home/ada/a.git'],
  ['', ''],
])('%j is shown as %j', (url, shown) => {
  expect(redactUrl(url)).toBe(shown);
});
