import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as core from '@actions/core';
import { backupName, generationNumber, namedBy } from '../../shared/action/choice.js';
import { code, escaped, Markdown } from '../../shared/action/markdown.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { type DrillOptions, drill } from './drill.js';
import { drillSummary, drillText } from './report.js';
import { resultSchema } from './result.js';

const usage = `npm run drill -- --directory FOLDER [--domain DOMAIN] [--generation N | --name NAME] [--from-repository ID] [--max-age 14d] [--json]
the restore key is read from the environment variable MCPRT_RESTORE_KEY`;

const progress = (line: string): void => void process.stderr.write(`${line}\n`);

const print = (text: string): void => void process.stdout.write(text);

function options(): Pick<DrillOptions, 'directory' | 'choice' | 'maxAge' | 'fromRepository'> & { json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        directory: { type: 'string' },
        domain: { type: 'string' },
        generation: { type: 'string' },
        name: { type: 'string' },
        'from-repository': { type: 'string', default: '' },
        'max-age': { type: 'string', default: '14d' },
        json: { type: 'boolean', default: false },
      },
    });
    if (values.directory === undefined) throw new Error('--directory is missing');
    const { domain, generation = '', name = '', json } = values;
    const named = namedBy({ generation: generationNumber.parse(generation), name: backupName.parse(name) });
    // npm starts programs in the folder of their package, and says where it was called.
    const directory = resolve(process.env.INIT_CWD || process.cwd(), values.directory);
    const choice = { domain, ...named };
    return { directory, choice, maxAge: values['max-age'], fromRepository: values['from-repository'], json };
  } catch (cause) {
    throw new McprtError('drill-usage', { what: 'the drill was called wrongly', why: messageOf(cause), next: usage });
  }
}

/** Follows signals for as long as the process lives: a second one must not end it while the lab is taken down. */
function cancellation(): AbortSignal {
  const cancelled = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () =>
      cancelled.abort(
        new McprtError('drill-cancelled', {
          what: 'the drill was cancelled',
          why: `it was sent ${name}`,
          next: 'run it again: nothing of it is left, and nothing but the lab was touched',
        }),
      ),
    );
  }
  return cancelled.signal;
}

/** The key, and an environment without it: nothing that is built or started here has use for it. */
function takeKey(env: NodeJS.ProcessEnv): { restoreKey: string; rest: NodeJS.ProcessEnv } {
  const { MCPRT_RESTORE_KEY: restoreKey = '', ...rest } = env;
  delete env.MCPRT_RESTORE_KEY;
  return { restoreKey, rest };
}

async function run(): Promise<void> {
  const { restoreKey, rest: env } = takeKey(process.env);
  const signal = cancellation();
  const { json, ...chosen } = options();
  const result = await drill({ ...chosen, restoreKey, env, progress, signal });
  const error = result.findings[0];
  if (env.GITHUB_OUTPUT) {
    for (const [name, value] of Object.entries({ result, orders: result.orders, seconds: result.seconds.total })) {
      core.setOutput(name, value);
    }
  }
  await drillSummary(result, new Date()).write();
  if (error !== undefined) annotate(error.code, `${error.what}\n${error.why}\nnext: ${error.next}`);
  print(json ? `${JSON.stringify(result)}\n` : drillText(result));
  if (!result.ok) process.exitCode = 1;
}

async function fail(error: McprtError): Promise<void> {
  const { code: name, message: what, why, next } = error;
  progress(`${name}: ${what}\n  why: ${why}\n  next: ${next}`);
  annotate(name, `${what}\nwhy: ${why}\nnext: ${next}`);
  await new Markdown()
    .heading('Restore drill')
    .line(`❌ **${code(name)}** ${escaped(what)}`)
    .line('**Why**')
    .list(why.split('\n'))
    .line('**Next**')
    .list(next.split('\n'))
    .write();
  if (process.argv.includes('--json')) {
    print(`${JSON.stringify({ schema: resultSchema, ok: false, findings: [{ code: name, what, why, next }] })}\n`);
  }
  process.exitCode = 1;
}

/** On standard error, where the runner looks too: standard output is the result's. */
function annotate(name: string, text: string): void {
  if (process.env.GITHUB_ACTIONS !== 'true') return;
  const encoded = text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  process.stderr.write(`::error title=drill%3A ${name}::${encoded}\n`);
}

try {
  await run();
} catch (error) {
  if (!(error instanceof McprtError)) throw error;
  await fail(error);
  // A build that a signal has overtaken would keep the process.
  if (error.code === 'drill-cancelled') process.exit();
}
