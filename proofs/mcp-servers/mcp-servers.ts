import type { IncomingMessage, ServerResponse } from 'node:http';
import pMap from 'p-map';
import { startSecureServer } from '../../shared/platform/testing/secure-server.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { officialVerdict, ourVerdict, type ServerAddress, type Verdict } from './clients.js';
import { allowed, callOf, type HandMade, otherwise, plain, wrong } from './hand-made.js';
import { officialHandler, officialServers } from './official.js';
import { pythonServers } from './python.js';

/** A server of one kind, made anew for each client. */
interface Kind {
  name: string;
  start(): Promise<{ address: ServerAddress; close(): Promise<void> }>;
  /** What must come of it; undefined where only both clients' equality counts. */
  due: 'ok' | 'fails' | undefined;
  differs?: string;
}

interface Row {
  server: string;
  theirs: string;
  ours: string;
  told: string;
}

export const mcpServers: Proof = {
  name: 'mcp-servers',
  claim:
    'over 60 MCP servers, made with the official SDKs and by hand for what the specification allows and forbids: action-smoke-test judges each as the official client does, and names the rule that is broken',
  async run(context) {
    const pythons = context.small ? 'not in small' : await pythonServers(context);
    const running = typeof pythons === 'string' ? [] : pythons;
    try {
      const kinds = [
        ...handMade(),
        ...officials(),
        ...running.map((one) => handled(one.name, () => ({ ...one, close: async () => undefined }))),
      ];
      // Each waits mostly for a client that waits.
      const rows = await pMap(kinds, (kind) => judge(context, kind), { concurrency: 6 });
      const unlike = rows.filter(({ theirs, ours }) => theirs !== ours);
      for (const { server, told } of rows) if (told !== '') context.progress(`  ${server}: ${told}`);
      return {
        servers: rows.length,
        ok: rows.filter(({ ours }) => ours.startsWith('ok')).length,
        otherwise: unlike.map(({ server, theirs, ours }) => `${server}: ${ours} (theirs: ${theirs})`),
        python: typeof pythons === 'string' ? pythons : `${pythons.length} servers`,
      };
    } finally {
      await Promise.all(running.map((one) => one.close()));
    }
  },
};

/** Both clients, one after the other, each with a server that has seen nobody yet. */
async function judge({ expect, expectSame }: ProofContext, kind: Kind): Promise<Row> {
  const [theirs, ours] = [await visit(kind, officialVerdict), await visit(kind, ourVerdict)];
  const { name, due, differs } = kind;
  if (differs === undefined) expectSame(`${name}: how far ours comes`, ours.came, theirs.came);
  else expect(ours.came !== theirs.came, `${name} is judged alike, though ${differs}`);
  if (due !== undefined) expect(ours.came.startsWith('ok') === (due === 'ok'), `${name}: ${ours.came} ${ours.told}`);
  if (!ours.came.startsWith('ok')) expect(ours.told !== '', `${name}: nothing is said`);
  return { server: name, theirs: theirs.came, ours: ours.came, told: ours.told };
}

async function visit(kind: Kind, client: (address: ServerAddress) => Promise<Verdict>): Promise<Verdict> {
  const { address, close } = await kind.start();
  try {
    return await client(address);
  } finally {
    await close();
  }
}

function handMade(): Kind[] {
  const kind =
    (due: Kind['due']) =>
    ({ name, make, differs }: HandMade): Kind => ({
      name,
      due,
      ...(differs !== undefined && { differs }),
      async start() {
        const server = await startSecureServer();
        const special = make();
        server.answer = (asked) => {
          const call = callOf(asked);
          return special(call) ?? plain(call);
        };
        const { host, port, reach, close } = server;
        return { address: { host, path: '/demo/mcp', port, reach }, close };
      },
    });
  return [...allowed.map(kind('ok')), ...wrong.map(kind('fails')), ...otherwise.map(kind(undefined))];
}

function officials(): Kind[] {
  return officialServers.map((one) => handled(one.name, () => officialHandler(one)));
}

interface Handler {
  handle(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
}

function handled(name: string, make: () => Handler): Kind {
  return {
    name,
    due: 'ok',
    async start() {
      const server = await startSecureServer();
      const handler = make();
      server.instead = (request, response) => {
        handler.handle(request, response);
        return true;
      };
      const { host, port, reach } = server;
      const close = async (): Promise<void> => {
        await server.close();
        await handler.close();
      };
      return { address: { host, path: '/mcp', port, reach }, close };
    },
  };
}
