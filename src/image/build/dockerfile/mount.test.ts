import { describe, expect, it } from 'vitest';
import { parseMount } from './mount.ts';

const parse = (text: string) => parseMount(text, (word) => word.replace('$T', '/t'));
const common = { source: '', target: '/t', sharing: 'shared', required: false, readOnly: false };

describe('parseMount', () => {
  it.each<[string, object]>([
    ['target=/t', { ...common, type: 'bind', readOnly: true }],
    ['type=bind,from=one,src=/s,dst=$T,rw', { ...common, type: 'bind', from: 'one', source: '/s' }],
    ['type=bind,target=/t,readonly=false', { ...common, type: 'bind' }],
    [
      'type=cache,id=i,target=/t,sharing=locked,mode=0700,uid=1,gid=2',
      { ...common, type: 'cache', id: 'i', sharing: 'locked', mode: 0o700, uid: 1, gid: 2 },
    ],
    ['type=cache,target=/t,ro', { ...common, type: 'cache', readOnly: true }],
    ['type=tmpfs,target=/t,size=64m', { ...common, type: 'tmpfs', sizeBytes: 64 << 20 }],
    ['type=secret,id=i', { ...common, type: 'secret', id: 'i', target: '/run/secrets/i', readOnly: true }],
    [
      'type=secret,target=/a/b,required',
      { ...common, type: 'secret', id: 'b', target: '/a/b', required: true, readOnly: true },
    ],
    ['type=secret,id=i,env=E', { ...common, type: 'secret', id: 'i', env: 'E', target: '', readOnly: true }],
    ['type=bind,"target=/t"', { ...common, type: 'bind', readOnly: true }],
  ])('reads %s', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    ['type=cash,target=/t', /unknown mount type "cash"/],
    ['type=tmpfs,target=/t,id=x', /a tmpfs mount has no option "id"/],
    ['type=bind,target=/', /expected a target below \//],
    ['type=bind', /expected a target below \//],
    ['type=bind,target', /expected "target" to be key=value/],
    ['type=bind,target=/t,ro=maybe', /expected readonly to be true or false, got "maybe"/],
    ['type=cache,target=/t,sharing=none', /expected sharing to be/],
    ['type=cache,target=/t,mode=9', /expected mode to be octal/],
    ['type=cache,target=/t,uid=me', /expected uid to be a number/],
    ['type=tmpfs,target=/t,size=big', /expected size to be bytes/],
    ['type=bind,target=/t,from=$X', /expected no variable in the from/],
    ['type=secret', /expected an id/],
  ])('refuses %s', (text, message) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'image/bad-dockerfile', message: expect.stringMatching(message) }),
    );
  });
});
