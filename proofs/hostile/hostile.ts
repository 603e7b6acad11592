import type { Action } from '../../lab/driver/action.js';
import { freePort } from '../../lab/driver/processes.js';
import { Markdown } from '../../shared/action/markdown.js';
import { makeKeys } from '../../shared/backup/keys.js';
import { McprtError } from '../../shared/errors.js';
import { WebError } from '../../shared/platform/web.js';
import { round1 } from '../support/figures.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { anyAnswers, apiServerAnswers, githubAnswers, type HostileAnswer } from './bundle-cases.js';
import { directCases } from './direct-cases.js';
import { type HostileServer, kubeconfigOf, startHostile } from './server.js';
import { commandsIn, mostMemory, problemsOf, renderedIn, watchedRun } from './watched.js';

const host = 'platform.example.com';

/** A run of the bundle that leads to what is hostile. */
interface Way {
  name: string;
  action: Action;
  answers: readonly HostileAnswer[];
  inputs: Record<string, string>;
  env?: Record<string, string>;
  server: HostileServer;
  codes: RegExp;
}

export const hostile: Proof = {
  name: 'hostile',
  claim:
    'what registry, API server, platform, MCP server, GitHub and a fork answer, without an end, nested, cut off, lying or made of markup, ends with a code of ours, in bounded memory, and nothing of it is rendered or taken for a command',
  async run(context) {
    const [api, platform, github] = await Promise.all([startHostile(host), startHostile(host), startHostile('')]);
    let [cases, bundleRuns, peak] = [0, 0, 0];
    try {
      for (const way of await waysTo(api, platform, github)) {
        const chosen = context.small ? way.answers.filter((_, at) => at % 7 === 0) : way.answers;
        for (const { name, answer } of chosen) {
          way.server.answer = answer;
          const full = `${way.name}: ${name}`;
          const run = await watchedRun({
            entry: way.action,
            folder: context.folder,
            inputs: way.inputs,
            env: { GITHUB_REPOSITORY: 'acme/platform', GITHUB_REPOSITORY_ID: '42', RUNNER_DEBUG: '1', ...way.env },
          });
          const found = problemsOf(full, run, way.codes);
          for (const what of found) context.fail(what);
          const isRight = found.length === 0 ? 'ok' : 'FAILED';
          context.progress(`  ${isRight} ${full}: ${run.error}, ${run.peak} MiB, ${round1(run.seconds)} s`);
          peak = Math.max(peak, run.peak);
          cases += 1;
          bundleRuns += 1;
        }
      }
      const direct = context.small ? directCases.filter((_, at) => at % 2 === 0) : directCases;
      for (const one of direct) {
        for (const what of await directProblems(one, api, context)) context.fail(what);
        cases += 1;
      }
    } finally {
      await Promise.all([api.close(), platform.close(), github.close()]);
    }
    const own = Math.round(process.resourceUsage().maxRSS / 1024);
    context.expect(own <= mostMemory, `the functions had ${own} MiB of memory`);
    return { cases, bundleRuns, peakMiBOfTheBundle: peak, peakMiBOfTheFunctions: own, limitMiB: mostMemory };
  },
};

async function waysTo(api: HostileServer, platform: HostileServer, github: HostileServer): Promise<Way[]> {
  const kubeconfig = kubeconfigOf(api, host, 'proof-of-hostile-answers');
  const keys = await makeKeys('classic');
  const common = { kubeconfig, domain: 'example.com', timeout: '90s' };
  const closed = await freePort();
  const reach = {
    resolve: ['platform', 'mcp', 'registry']
      .map((name) => `${name}.example.com:443=127.0.0.1:${name === 'platform' ? platform.port : closed}`)
      .join('\n'),
    'ca-bundle': platform.ca,
  };
  const ours =
    /^(?:anchor|cluster|permission|backup|store|setup|rollout|smoke|github|brake|certmanager|namespace|job|registry|preview)-[a-z-]+$/;
  return [
    {
      name: 'API server, backup',
      action: 'backup',
      answers: apiServerAnswers,
      server: api,
      inputs: {
        ...common,
        operation: 'backup',
        'backup-key': keys.backup,
        stores: 'directory',
        directory: 'backups',
        'dry-run': 'true',
      },
      codes: ours,
    },
    {
      name: 'API server, rollout',
      action: 'rollout',
      answers: apiServerAnswers,
      server: api,
      inputs: { ...common, operation: 'plan' },
      codes: ours,
    },
    {
      name: 'platform, smoke test',
      action: 'smoke-test',
      answers: anyAnswers,
      server: platform,
      inputs: {
        operation: 'cleanup',
        domain: 'example.com',
        timeout: '60s',
        'admin-key': 'proof-of-hostile-answers',
        ...reach,
      },
      codes: ours,
    },
    {
      name: 'GitHub, list of backups',
      action: 'backup',
      answers: githubAnswers(() => github.url),
      server: github,
      inputs: {
        operation: 'fetch',
        directory: 'copy',
        domain: 'example.com',
        timeout: '60s',
        'backup-key': keys.backup,
        stores: 'artifact',
        'github-token': 'proof-of-hostile-answers',
      },
      env: {
        GITHUB_API_URL: github.url,
        ACTIONS_RESULTS_URL: github.url,
        ACTIONS_RUNTIME_TOKEN: 'proof-of-hostile-answers',
      },
      codes: ours,
    },
  ];
}

async function directProblems(
  { name, code, run }: (typeof directCases)[number],
  server: HostileServer,
  { folder, progress }: ProofContext,
): Promise<string[]> {
  const started = performance.now();
  const outcome = await run({ server, host, folder }).then(
    (value: unknown) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const problems: string[] = [];
  if ('error' in outcome) {
    const { error } = outcome;
    const own =
      error instanceof WebError
        ? `smoke-${error.layer}`
        : error instanceof McprtError
          ? error.code
          : `none: ${String(error)}`;
    const isOurs = error instanceof McprtError || error instanceof WebError;
    if (!isOurs || (code !== undefined && !code.test(own)))
      problems.push(`${name}: ended with ${own.slice(0, 200)}, not ${code}`);
    const text = error instanceof McprtError ? [error.message, error.why, error.next] : [String(error)];
    if (text.join('').length > 20_000) problems.push(`${name}: an error of ${text.join('').length} characters`);
    const markdown = new Markdown().list(text).text();
    problems.push(...renderedIn(markdown).map((what) => `${name}: renders ${what}`), ...commandsIn(markdown));
  } else if (code !== undefined) problems.push(`${name}: was taken, instead of ${code}`);
  else if ((JSON.stringify(outcome.value) ?? '').length > 16_000_000) problems.push(`${name}: too much was kept`);
  progress(`  ${problems.length === 0 ? 'ok' : 'FAILED'} ${name}: ${Math.round(performance.now() - started)} ms`);
  return problems;
}
