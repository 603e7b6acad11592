import { join } from 'node:path';
import pMap from 'p-map';
import { type Action, actions, defaultsOf, withoutMasks } from '../../lab/driver/action.js';
import { runFitting } from '../../lab/driver/result.js';
import { makeKeys } from '../../shared/backup/keys.js';
import { type HostileServer, json, kubeconfigOf, startHostile } from '../hostile/server.js';
import { filesBelow, leakSearch } from '../support/leaks.js';
import type { ProofContext } from '../support/proof.js';
import { type MangledSecret, mangledSecrets } from './mangled.js';

const host = 'platform.example.com';
/** Inputs that take a text of any kind: every secret is tried there, as it is there that one is meant to be. */
const takers = new Set(['kubeconfig', 'ca-bundle', 'restore-key', 'backup-key']);
/** How many secrets each other input is tried with. */
const perInput = { full: 6, small: 1 } as const;
const parallel = 2;

/**
 * Gives secrets of every kind to every input of every action, one at a time. Cluster, platform and GitHub are stand-ins
 * that repeat in their refusals whatever they were sent.
 */
export async function throughEveryInput(context: ProofContext): Promise<{ runs: number; secrets: number }> {
  const { folder, small, progress, expect, fail, problems } = context;
  const [server, keys] = await Promise.all([startHostile(host), makeKeys('classic')]);
  const github = await startHostile('');
  const told = repeating(server);
  const written = repeating(github);
  try {
    const { secrets, canaries } = mangledSecrets(keys, `127.0.0.1:${server.port}`, server.ca);
    const search = leakSearch(canaries);
    const below = join(folder, 'every-input');
    const given = (await Promise.all(actions.map((action) => casesOf(action, secrets, small)))).flat();
    const base = await baseOf(server);
    const before = problems.length;
    await pMap(
      given,
      async ({ action, input, secret }, index) => {
        const name = `${action}, ${input}: ${secret.name}`;
        const own = join(below, String(index));
        const run = await runFitting({
          entry: action,
          folder: own,
          inputs: { ...base.common, ...base[action], [input]: secret.text },
          env: {
            GITHUB_REPOSITORY: 'acme/platform',
            GITHUB_REPOSITORY_ID: '42',
            GITHUB_API_URL: github.url,
            ACTIONS_STEP_DEBUG: 'true',
            RUNNER_DEBUG: '1',
          },
        });
        const isUnexpected = run.code !== 0 && run.error === undefined && run.log.includes('unexpected');
        expect(!isUnexpected, `${name}: ended without a code`, run);
        expect(run.code === 0 || run.code === 1, `${name}: exit ${run.signal ?? run.code}`);
        const texts = [
          ['log', withoutMasks(run.log)],
          ['summary', run.summary],
          ['outputs', JSON.stringify([run.outputs, run.state])],
        ] as const;
        const files = (await filesBelow(own)).map(({ path, text }) => [path.slice(own.length), text] as const);
        for (const [where, text] of [...texts, ...files]) {
          for (const leak of search.in(text)) fail(`${name}: ${where} holds ${leak}`);
        }
      },
      { concurrency: parallel },
    );
    for (const body of written()) for (const leak of search.in(body)) fail(`GitHub was told ${leak}`);
    const isSent = told().length >= given.length / 20;
    expect(isSent, 'hardly anything was sent to the stand-ins: nothing is proven');
    progress(
      `  every input: ${given.length} runs, ${told().length} requests repeated, ${problems.length - before} problems`,
    );
    return { runs: given.length, secrets: secrets.length };
  } finally {
    await Promise.all([server.close(), github.close()]);
  }
}

interface Case {
  action: Action;
  input: string;
  secret: MangledSecret;
}

/** Each input with some of the secrets, in turn, so that over all inputs each secret comes to many. */
async function casesOf(action: Case['action'], secrets: readonly MangledSecret[], small: boolean): Promise<Case[]> {
  const names = Object.keys(await defaultsOf(action));
  return names.flatMap((input, at) => {
    const count = small ? perInput.small : takers.has(input) ? secrets.length : perInput.full;
    return Array.from({ length: count }, (_, index): Case[] => {
      const secret = secrets[(at * 7 + index * 11) % secrets.length];
      return secret === undefined ? [] : [{ action, input, secret }];
    }).flat();
  });
}

type Base = Record<Case['action'] | 'common', Record<string, string>>;

async function baseOf(server: HostileServer): Promise<Base> {
  const kubeconfig = kubeconfigOf(server, host, 'of-the-proof');
  const resolve = ['platform', 'mcp', 'registry']
    .map((name) => `${name}.example.com:443=127.0.0.1:${server.port}`)
    .join('\n');
  return {
    common: { kubeconfig, domain: 'example.com', timeout: '60s' },
    backup: { operation: 'backup', stores: 'directory', directory: 'backups' },
    setup: { operation: 'check', resolve, 'ca-bundle': server.ca },
    rollout: { operation: 'plan', resolve, 'ca-bundle': server.ca },
    'smoke-test': {
      suite: 'health, tenant',
      'admin-key': 'of-the-proof-0',
      'user-password': 'of-the-proof',
      resolve,
      'ca-bundle': server.ca,
      'deploy-timeout': '5s',
    },
  };
}

/** Has a server refuse everything, in the words of what it was sent. @returns what it was sent so far */
function repeating(server: HostileServer): () => string[] {
  const sent: string[] = [];
  server.answer = ({ url = '', headers }, response, body) => {
    const said = `${url} ${JSON.stringify(headers)} ${body}`;
    sent.push(body);
    const isMe = url.endsWith('/auth/me') && headers['x-api-key'] === undefined;
    json(response, isMe ? 401 : 403, { kind: 'Status', reason: 'Forbidden', message: said, error: said });
  };
  return () => sent;
}
