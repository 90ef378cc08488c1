import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

export interface Answering {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `METHOD /path` of each request so far. */
  readonly requests: string[];
  close(): Promise<void>;
}

type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

const open: Answering[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

/** A server on loopback that answers as a test wants it, until the test ends. */
export async function startServer(answer: Answer): Promise<Answering> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => answer(request, response, Buffer.concat(parts)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const started = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  open.push(started);
  return started;
}

/** One answer after another; the last is given again and again. */
export function inTurn(...answers: Answer[]): Answer {
  let turn = 0;
  return (request, response, body) => {
    const answer = answers[Math.min(turn, answers.length - 1)];
    turn += 1;
    answer?.(request, response, body);
  };
}

export const status =
  (code: number, body = '', headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(code, headers).end(body);

export const json =
  (value: unknown, code = 200): Answer =>
  (_request, response) =>
    void response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));

/** Promises more than it sends. */
export const cutShort =
  (body: string): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-length': body.length + 10 });
    response.write(body, () => response.destroy());
  };

/** Never answers. */
export const hangUp: Answer = (request) => void request.socket.destroy();
