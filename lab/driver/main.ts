import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { kinds } from '../../shared/cluster/objects.js';
import { McprtError } from '../../shared/errors.js';
import { installPlatform, waitForCertificates } from '../platform/install.js';
import { installK3s } from '../platform/k3s.js';
import { commandLine } from './command-line.js';
import { type LabState, labNames, openLab, readLab, removeLeft, runningParts, startLab, stopLab } from './lab.js';
import { readMeter } from './meter.js';
import { packRelease } from './pack.js';
import { buildProgram } from './program.js';

const usage =
  'npm run lab -- up|down|status|kubeconfig|logs [PART]|build|pack [--name NAME] [--all] [--api-servers 2] [--platform] [--check]';

const { values, positionals } = commandLine(usage, {
  allowPositionals: true,
  options: {
    name: { type: 'string' },
    all: { type: 'boolean', default: false },
    'api-servers': { type: 'string', default: '1' },
    platform: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
const name = values.name ?? 'default';
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const { env } = process;

const commands: Record<string, () => Promise<void>> = {
  async build() {
    print(`the lab is built: ${dirname((await buildProgram(env, progress)).lab)}`);
  },
  async pack() {
    print(await packRelease({ env, progress }, values.check));
  },
  async up() {
    const started = performance.now();
    const state = await startLab({
      name,
      env,
      progress,
      apiServers: values['api-servers'] === '2' ? 2 : 1,
    });
    if (values.platform) await installInto(state);
    print(`lab ${state.name} is up after ${((performance.now() - started) / 1000).toFixed(1)} s: ${state.server}`);
    print(`export KUBECONFIG=${state.kubeconfig}`);
  },
  async down() {
    for (const one of values.all ? await labNames(env) : [name]) {
      const state = await readLab({ name: one, env }).catch((error: unknown) => {
        if (!values.all) throw error;
      });
      await (state === undefined ? removeLeft({ name: one, env }) : stopLab(state));
      print(`lab ${one} is down`);
    }
  },
  async status() {
    const names = values.name === undefined ? await labNames(env) : [name];
    if (names.length === 0) print('no lab is up');
    for (const one of names) {
      const state = await readLab({ name: one, env });
      const parts = runningParts(state).map((part) => `${part.name} ${part.running ? part.pid : 'ENDED'}`);
      const meter = await readMeter(state.acme.control).catch(() => undefined);
      print(`${one}  ${state.server}  ${parts.join(', ')}`);
      if (meter)
        print(
          `  ACME: ${meter.orders.length} orders, ${meter.issued} issued, ${meter.accounts} accounts, ${meter.refused} refused, limit ${meter.limited ? 'on' : 'off'}`,
        );
    }
  },
  async kubeconfig() {
    print((await readLab({ name, env })).kubeconfig);
  },
  async logs() {
    const state = await readLab({ name, env });
    for (const part of state.processes.filter(({ name }) => positionals[1] === undefined || name === positionals[1])) {
      print(`== ${part.name} (${join(part.log)})`);
      print((await readFile(part.log, 'utf8')).trimEnd().split('\n').slice(-200).join('\n'));
    }
  },
};

/** Fills a lab with what k3s has, cert-manager and the platform's stand-in, whose certificates come from the lab's ACME server. */
async function installInto(state: LabState): Promise<void> {
  progress('installing cert-manager and the platform’s stand-in for example.com');
  const cluster = await openLab(state);
  try {
    const { acme, program } = state;
    await Promise.all([
      installK3s(cluster),
      installPlatform(cluster, { domain: 'example.com', layout: 'split', acme, crds: program.crds }),
    ]);
    const { items } = await cluster.list(kinds.certificate);
    progress(`waiting for ${items.length} certificates`);
    await waitForCertificates(cluster, items.length);
  } finally {
    await cluster.close();
  }
}

try {
  const command = commands[positionals[0] ?? ''];
  if (!command) {
    throw new McprtError('lab-usage', {
      what: `unknown command "${positionals[0] ?? ''}"`,
      why: 'it is none of those below',
      next: usage,
    });
  }
  await command();
} catch (error) {
  if (!(error instanceof McprtError)) throw error;
  progress(`${error.message}\n  why: ${error.why}\n  next: ${error.next}`);
  process.exitCode = 1;
}
