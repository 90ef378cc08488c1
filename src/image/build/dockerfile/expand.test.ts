// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import { describe, expect, it } from 'vitest';
import { expandWord, expandWords } from './expand.ts';

const values: Record<string, string> = { x: 'value', empty: '', path: 'a/b/c.tar.gz', star: 'a*b', sp: 'one two' };
const lookup = (name: string) => values[name];

describe('expandWord', () => {
  it.each([
    ['$x', 'value'],
    ['${x}', 'value'],
    ['a$x/b', 'avalue/b'],
    ['$xy', ''],
    ['${x}y', 'valuey'],
    ['\\$x', '$x'],
    ["'$x'", '$x'],
    ['"$x"', 'value'],
    ['"a\\"b"', 'a"b'],
    ['"a\\nb"', 'a\\nb'],
    ['"\\$x"', '$x'],
    ['a\\ b', 'a b'],
    ['$', '$'],
    ['a$ b', 'a$ b'],
    ['$1x', 'x'],
    ['${none:-default}', 'default'],
    ['${empty:-default}', 'default'],
    ['${empty-default}', ''],
    ['${none-default}', 'default'],
    ['${none:-$x}', 'value'],
    ['${none:-${x}-${x}}', 'value-value'],
    ['${none:-"a } b"}', 'a } b'],
    ['${x:+set}', 'set'],
    ['${empty:+set}', ''],
    ['${empty+set}', 'set'],
    ['${none+set}', ''],
    ['${x:?must}', 'value'],
    ['${path#*/}', 'b/c.tar.gz'],
    ['${path##*/}', 'c.tar.gz'],
    ['${path%.*}', 'a/b/c.tar'],
    ['${path%%.*}', 'a/b/c'],
    ['${path%/*}', 'a/b'],
    ['${path#nothing}', 'a/b/c.tar.gz'],
    ['${path#?}', '/b/c.tar.gz'],
    ['${star#a\\*}', 'b'],
    ['${star%\\*b}', 'a'],
    ['${path/b/X}', 'a/X/c.tar.gz'],
    ['${path//[/X}', 'a/b/c.tar.gz'],
    ['${path//a/X}', 'X/b/c.tXr.gz'],
    ['${path//\\//-}', 'a-b-c.tar.gz'],
    ['${x/val/$&}', '$&ue'],
    ['${sp}', 'one two'],
    ['日本$x', '日本value'],
  ])('reads %s as %s', (word, expected) => {
    expect(expandWord(word, lookup)).toBe(expected);
  });

  it.each([
    ['${x', /expected "}"/],
    ['${none:-abc', /expected "}"/],
    ['${}', /expected a variable name/],
    ['${x!y}', /expected a modifier/],
    ['${x:#y}', /expected a modifier/],
    ['"open', /closing double quote/],
    ["'open", /closing single quote/],
    ['${none:?tell me}', /^none: tell me$/],
    ['${empty:?}', /^empty: expected a value/],
    ['${none?}', /^none: expected a value/],
  ])('refuses %s', (word, message) => {
    expect(() => expandWord(word, lookup)).toThrow(
      expect.objectContaining({ code: 'image/bad-dockerfile', message: expect.stringMatching(message) }),
    );
  });

  it('uses the escape character of the directive', () => {
    expect(expandWord('C:\\x`$x', lookup, { escape: '`' })).toBe('C:\\x$x');
  });

  it('leaves quotes alone in a heredoc', () => {
    expect(expandWord(`"it's $x"`, lookup, { quotesAreText: true })).toBe(`"it's value"`);
  });

  it.each([
    ['a $sp "$sp" b', ['a', 'one', 'two', 'one two', 'b']],
    ['8080 $none 9090/udp', ['8080', '9090/udp']],
    ['a${x}b c', ['avalueb', 'c']],
  ])('splits %s', (word, expected) => {
    expect(expandWords(word, lookup)).toEqual(expected);
  });
});
