import { expect, it } from 'vitest';
import { createBuildOutput } from './output.ts';

function collect(secrets: readonly string[] = []) {
  const said = { stdout: '', stderr: '' };
  const activities: string[] = [];
  const output = createBuildOutput(
    secrets.map((secret) => Buffer.from(secret)),
    {
      line: () => {},
      activity: (text) => activities.push(text),
      output: (stream, chunk) => {
        said[stream] += chunk;
      },
    },
  );
  return { output, said, activities };
}

it('passes both streams on without the secrets, in whatever pieces they come', () => {
  const { output, said } = collect(['s3cret']);
  for (const piece of ['the s3c', 'ret and ']) output.write('stdout', Buffer.from(piece));
  const [first, second] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)];
  output.write('stdout', first);
  output.write('stderr', Buffer.from('s3cret s3c'));
  output.write('stdout', second);
  output.end();
  expect(said).toEqual({ stdout: 'the *** and é', stderr: '*** s3c' });
});

it('tells the step that an engine is at', () => {
  const { output, activities } = collect();
  output.write('stderr', Buffer.from('#7 [2/3] RUN make\n#7 1.0 ok\nSTEP 3/3: COPY a b\n#8 [build 1/2] FROM a\n'));
  expect(activities).toEqual(['[2/3] RUN make', '[3/3] COPY a b', '[1/2] FROM a']);
});

it('keeps the last twenty lines, a last one without an end too', () => {
  const { output } = collect();
  for (let n = 1; n <= 25; n += 1) output.write('stdout', Buffer.from(`line ${n}\n\n`));
  output.write('stderr', Buffer.from('ERROR: no such file'));
  output.end();
  expect(output.lastLine()).toBe('no such file');
  expect(output.tail().split('\n').slice(-2)).toEqual(['line 25', 'ERROR: no such file']);
  expect(output.tail()).not.toContain('line 5\n');
});
