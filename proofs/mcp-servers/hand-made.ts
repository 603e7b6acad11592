import type { ServerResponse } from 'node:http';
import { isRecord } from '../../shared/json.js';
import type { Asked, Reply } from '../../shared/platform/testing/secure-server.js';

/** What a server is asked, read from the body. */
export interface Call {
  asked: Asked;
  id: unknown;
  method: string;
  params: Record<string, unknown>;
}

/** A server that is made by hand: what it does otherwise than a plain one. */
export interface HandMade {
  name: string;
  /** Answers, or leaves it to the plain server. Made anew for each client. */
  make: () => (call: Call) => Reply | undefined;
  /** Why ours may judge otherwise than the official client. */
  differs?: string;
}

const tool = (name: string, more: object = {}): object => ({ name, inputSchema: { type: 'object' }, ...more });
const sum = { content: [{ type: 'text', text: '16' }] };
const hello = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'hand-made', version: '1' },
};

const message = (id: unknown, result: unknown, headers: Record<string, string> = {}): Reply => ({
  status: 200,
  headers,
  body: { jsonrpc: '2.0', id, result },
});
const event = (value: object, more = ''): string => `${more}data: ${JSON.stringify({ jsonrpc: '2.0', ...value })}\n\n`;
const stream = (...events: string[]): Reply => ({
  status: 200,
  headers: { 'content-type': 'text/event-stream' },
  body: events.join(''),
});
const written = (write: (response: ServerResponse) => void): Reply => ({ ...stream(), write });

/** A server without sessions that answers each request with JSON. */
export function plain({ asked, id, method }: Call): Reply {
  if (asked.method !== 'POST') return { status: 405 };
  if (method === 'initialize') return message(id, hello);
  if (method === 'tools/list') return message(id, { tools: [tool('add')] });
  if (method === 'tools/call') return message(id, sum);
  return id === undefined ? { status: 202 } : message(id, {});
}

/** A server that does one thing otherwise in one method. */
const at = (name: string, method: string, answer: (call: Call) => Reply | undefined): HandMade => ({
  name,
  make: () => (call) => (call.method === method ? answer(call) : undefined),
});
const inCall = (name: string, answer: (call: Call) => Reply): HandMade => at(name, 'tools/call', answer);
const opening = (name: string, result: object): HandMade => at(name, 'initialize', ({ id }) => message(id, result));
const giving = (name: string, result: unknown): HandMade => inCall(name, ({ id }) => message(id, result));

const withSession: HandMade['make'] = () => (call) => {
  if (call.method === 'initialize') return message(call.id, hello, { 'mcp-session-id': 's1' });
  const given = call.asked.headers['mcp-session-id'];
  if (given === 's1') return undefined;
  return { status: given === undefined ? 400 : 404, body: { error: 'no such session' } };
};

const requiring =
  (name: string, value: RegExp): HandMade['make'] =>
  () =>
  (call) => {
    const isFirst = call.method === 'initialize' && name === 'mcp-protocol-version';
    const told = String(call.asked.headers[name] ?? '');
    return isFirst || value.test(told) ? undefined : { status: 400, body: { error: `no ${name}` } };
  };

const moved =
  (status: number, location: string): HandMade['make'] =>
  () =>
  ({ asked }) =>
    asked.url === '/demo/mcp' && asked.method === 'POST' ? { status, headers: { location } } : undefined;

/** Asks the client something in the middle of a call, and goes on with its answer. */
const asking =
  (method: string, params: object): HandMade['make'] =>
  () => {
    let finish = (): void => undefined;
    return ({ id, method: called }) => {
      if (called === 'tools/call') {
        return written((response) => {
          finish = () => void response.end(event({ id, result: sum }));
          response.write(event({ id: 'q', method, params }));
        });
      }
      if (called !== '' || id !== 'q') return undefined;
      finish();
      return { status: 202 };
    };
  };

const resuming =
  (isKept: boolean): HandMade['make'] =>
  () => {
    let waiting: unknown;
    return ({ asked, id, method }) => {
      if (method === 'tools/call') {
        waiting = id;
        return stream('id: 1\nretry: 20\ndata:\n\n');
      }
      if (asked.method !== 'GET' || asked.headers['last-event-id'] === undefined) return undefined;
      return isKept ? stream(event({ id: waiting, result: sum }, 'id: 2\n')) : { status: 404 };
    };
  };

/** Servers that do what the specification lets them do. */
export const allowed: readonly HandMade[] = [
  { name: 'no sessions, JSON', make: () => () => undefined },
  { name: 'sessions', make: withSession },
  at('initialize as events', 'initialize', ({ id }) => stream(event({ id, result: hello }))),
  at('a list as events', 'tools/list', ({ id }) => stream(event({ id, result: { tools: [tool('add')] } }))),
  inCall('an answer as events', ({ id }) => stream(event({ id, result: sum }))),
  inCall('events with names, ids and comments', ({ id }) =>
    stream(': hello\n\n', event({ id, result: sum }, 'event: message\nid: 5\n')),
  ),
  inCall('events with CRLF', ({ id }) => stream(event({ id, result: sum }).replaceAll('\n', '\r\n'))),
  inCall('an event in many lines', ({ id }) => stream(event({ id, result: sum }).replaceAll(',', ',\ndata: '))),
  inCall('notifications before the answer', ({ id }) =>
    stream(
      event({ method: 'notifications/message', params: { level: 'info', data: 'x' } }),
      event({ method: 'notifications/progress', params: { progressToken: 9, progress: 1 } }),
      event({ id, result: sum }),
    ),
  ),
  inCall('a stream that stays open', ({ id }) => written((response) => response.write(event({ id, result: sum })))),
  inCall('an answer in many small pieces', ({ id }) =>
    written((response) => {
      const letters = event({ id, result: sum }).match(/.{1,4}/gs) ?? [];
      const next = (): void => void (letters.length === 0 ? response.end() : response.write(letters.shift(), next));
      next();
    }),
  ),
  { name: 'a ping in the middle', make: asking('ping', {}) },
  { name: 'a question that the client cannot answer', make: asking('roots/list', {}) },
  { name: 'a stream that ends and goes on', make: resuming(true) },
  inCall('an array of answers', ({ id }) => ({ status: 200, body: [{ jsonrpc: '2.0', id, result: sum }] })),
  inCall('an id as text', ({ id }) => message(String(id), sum)),
  inCall('a Content-Type with a charset', ({ id }) =>
    message(id, sum, { 'content-type': 'Application/JSON; charset=utf-8' }),
  ),
  { name: '307 to the same path with a slash', make: moved(307, '/demo/mcp/') },
  { name: '308 with the whole address', make: moved(308, 'https://platform.example.com/demo/mcp/') },
  at('a notification answered with 200', 'notifications/initialized', () => ({ status: 200, body: {} })),
  at('a notification answered with 204', 'notifications/initialized', () => ({ status: 204 })),
  {
    name: 'GET is not found',
    make:
      () =>
      ({ asked }) =>
        asked.method === 'GET' ? { status: 404 } : undefined,
  },
  {
    name: 'GET gives a stream',
    make:
      () =>
      ({ asked }) =>
        asked.method === 'GET' ? stream(': x\n\n') : undefined,
  },
  {
    name: 'wants both kinds in Accept',
    make: requiring('accept', /application\/json.*text\/event-stream|^text\/event-stream$/),
  },
  { name: 'wants the version in a header', make: requiring('mcp-protocol-version', /^2025-06-18$/) },
  opening('protocol 2025-11-25', { ...hello, protocolVersion: '2025-11-25' }),
  opening('protocol 2025-03-26', { ...hello, protocolVersion: '2025-03-26' }),
  opening('protocol 2024-11-05', { ...hello, protocolVersion: '2024-11-05' }),
  opening('instructions, a title and fields that nobody knows', {
    ...hello,
    instructions: 'x',
    _meta: {},
    more: 1,
    serverInfo: { ...hello.serverInfo, title: 'T' },
  }),
  opening('no capability named', { ...hello, capabilities: {} }),
  at('two pages of tools', 'tools/list', ({ id, params }) =>
    message(id, params.cursor === undefined ? { tools: [tool('add')], nextCursor: 'p' } : { tools: [tool('more')] }),
  ),
  giving('no content', { content: [] }),
  giving('structured content only', { structuredContent: { sum: 16 } }),
  giving('a picture before the text', {
    content: [{ type: 'image', data: 'AA==', mimeType: 'image/png' }, ...sum.content],
  }),
  giving('a link to a resource', { content: [{ type: 'resource_link', uri: 'a:b', name: 'b' }] }),
  giving('fields that nobody knows', { ...sum, _meta: { a: 1 }, more: true }),
];

/** Servers that break a rule, or fail. */
export const wrong: readonly HandMade[] = [
  giving('a tool that says that it failed', { isError: true, content: [{ type: 'text', text: 'no' }] }),
  inCall('an error of JSON-RPC', ({ id }) => ({
    status: 200,
    body: { jsonrpc: '2.0', id, error: { code: -32_602, message: 'no' } },
  })),
  inCall('an error as an event', ({ id }) => stream(event({ id, error: { code: -32_603, message: 'no' } }))),
  inCall('no "jsonrpc"', ({ id }) => ({ status: 200, body: { id, result: sum } })),
  inCall('the id of another request', () => message(99, sum)),
  inCall('a page of HTML', () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' })),
  inCall('JSON that says that it is text', ({ id }) => message(id, sum, { 'content-type': 'text/plain' })),
  inCall('no JSON', () => ({ status: 200, body: '{' })),
  inCall('202 for a request', () => ({ status: 202 })),
  inCall('a stream without the answer', () => stream(': x\n\n')),
  { name: 'a stream that ends and cannot go on', make: resuming(false) },
  inCall('a stream that breaks off', () => written((response) => response.write(': x\n\n', () => response.destroy()))),
  giving('content of a kind that there is not', { content: [{ type: 'none' }] }),
  giving('content that is no list', { content: 'sixteen' }),
  inCall('500', () => ({ status: 500, body: 'no' })),
  inCall('a session that it has forgotten', () => ({ status: 404, body: { error: 'session' } })),
  { name: '301', make: moved(301, '/demo/mcp/') },
  { name: '307 to another origin', make: moved(307, 'https://other.example/demo/mcp') },
  { name: '307 to another port', make: moved(307, 'https://platform.example.com:8443/demo/mcp') },
  {
    name: '307 in a circle',
    make:
      () =>
      ({ asked }) =>
        asked.method === 'POST' ? { status: 307, headers: { location: '/demo/mcp' } } : undefined,
  },
  opening('a protocol that nobody knows', { ...hello, protocolVersion: '1999-01-01' }),
  opening('no protocol', { ...hello, protocolVersion: undefined }),
  opening('no name', { ...hello, serverInfo: { version: '1' } }),
  opening('no capabilities', { ...hello, capabilities: undefined }),
  at('a tool without a name', 'tools/list', ({ id }) => message(id, { tools: [{ inputSchema: { type: 'object' } }] })),
  at('a tool without a schema', 'tools/list', ({ id }) => message(id, { tools: [{ name: 'add' }] })),
  at('a notification refused', 'notifications/initialized', () => ({ status: 400, body: 'no' })),
  {
    name: 'an output schema, and no structured content',
    make:
      () =>
      ({ id, method }) =>
        method === 'tools/list'
          ? message(id, { tools: [tool('add', { outputSchema: { type: 'object' } })] })
          : undefined,
  },
];

const busy = (status: number): HandMade => {
  const make: HandMade['make'] = () => {
    let times = 0;
    return ({ method }) => {
      if (method !== 'tools/call' || times++ > 0) return undefined;
      return { status, headers: { 'retry-after': '1' }, body: 'busy' };
    };
  };
  return { name: `${status} once, with Retry-After`, make, differs: 'a test waits as long as the server says' };
};

/** Servers of which the official client thinks otherwise, and why we do not. */
export const otherwise: readonly HandMade[] = [
  busy(429),
  busy(503),
  {
    name: 'structured content that is not as the schema has it',
    differs: 'a schema is the server’s own, and its patterns are not run in the job',
    make:
      () =>
      ({ id, method }) => {
        if (method === 'tools/call') return message(id, { content: [], structuredContent: { sum: 'x' } });
        const outputSchema = { type: 'object', properties: { sum: { type: 'number' } } };
        return method === 'tools/list' ? message(id, { tools: [tool('add', { outputSchema })] }) : undefined;
      },
  },
];

/** What stands in a request. */
export function callOf(asked: Asked): Call {
  const body: unknown = asked.body === '' ? {} : JSON.parse(asked.body);
  const { id, method, params } = isRecord(body) ? body : {};
  return { asked, id, method: typeof method === 'string' ? method : '', params: isRecord(params) ? params : {} };
}
