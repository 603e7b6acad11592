import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { McprtError, messageOf } from '../../shared/errors.js';
import { registryAuth } from '../platform/registry.js';
import { startApart } from './apart.js';
import { builtOnce } from './built-once.js';
import { cacheFolder } from './folders.js';
import type { LabState } from './lab.js';
import { downloadModule, type ModuleOptions } from './module-program.js';
import { isRunning, type LabProcess } from './processes.js';
import { found } from './until.js';

const run = promisify(execFile);
const module = 'github.com/traefik/traefik/v3';
/** The newest of the minor that k3s 1.36.4 has, whose own patch the module proxy does not serve. */
const version = 'v3.7.13';
/** What of the module is compiled. Its web UI is not in the module. */
const taken = ['cmd', 'internal', 'pkg', 'webui', 'go.mod', 'go.sum'];
/** What orders certificates by DNS for Traefik itself: a hundred and more providers, of which a lab's Traefik uses none. */
const lego = 'github.com/go-acme/lego/v5';
const noProviders = `// Package dns has no provider: a lab's Traefik orders no certificate.
package dns

import (
	"fmt"

	"github.com/go-acme/lego/v5/challenge"
)

func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, fmt.Errorf("unrecognized DNS provider: %s", name)
}
`;
/** A module in Traefik's own tree that the module proxy does not serve with it: what others add to its configuration. */
const extension = `package ext

type HTTP struct{}

type Router struct{}
`;
/** A fork of which the module proxy serves an older commit only, the one that Traefik 3.6 takes. */
const replaced = [
  'github.com/abbot/go-http-auth=github.com/containous/go-http-auth@v0.4.1-0.20200324110947-a37a7636d23e',
];
const startSeconds = 60;

/**
 * Builds Traefik, or finds the build in the cache folder.
 *
 * @returns path of the program
 * @throws McprtError `lab-build`
 */
export async function buildTraefik({ env, progress }: ModuleOptions): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([taken, noProviders, extension, replaced]));
  const home = join(cacheFolder(env), 'traefik', `${version}-${hash.digest('hex').slice(0, 16)}`);
  await builtOnce(home, async (workshop, done) => {
    progress(`building Traefik ${version} from its Go module: once, some minutes, then cached`);
    const started = Date.now();
    await mkdir(done);
    await compile(join(workshop, 'module'), join(done, 'traefik'), env).catch((cause: unknown) => {
      throw new McprtError('lab-build', {
        what: `Traefik ${version} does not build`,
        why: messageOf(cause),
        next: 'check that the Go module proxy can be reached, and that it has this version',
        cause,
      });
    });
    progress(`  built in ${Math.round((Date.now() - started) / 1000)} s`);
  });
  return join(home, 'traefik');
}

async function compile(folder: string, program: string, env: NodeJS.ProcessEnv): Promise<void> {
  await mkdir(folder);
  const options = { cwd: folder, env: { ...env, CGO_ENABLED: '0' }, maxBuffer: 1 << 26 };
  const from = await downloadModule(`${module}@${version}`, options);
  for (const part of taken) await copySources(join(from, part), join(folder, part));
  const required = new RegExp(`${lego} (\\S+)`).exec(await readFile(join(folder, 'go.mod'), 'utf8'))?.[1];
  const legoFrom = await downloadModule(`${lego}@${required}`, options);
  const legoTo = join(folder, 'lego');
  await copySources(legoFrom, legoTo, (path) => !path.startsWith(join(legoFrom, 'providers', 'dns', '')));
  await mkdir(join(legoTo, 'providers', 'dns'), { recursive: true });
  await writeFile(join(legoTo, 'providers', 'dns', 'zz_gen_dns_providers.go'), noProviders);
  const extensionTo = join(folder, 'pkg', 'config', 'dynamic', 'ext');
  await mkdir(extensionTo, { recursive: true });
  await writeFile(join(extensionTo, 'go.mod'), 'module github.com/traefik/traefik/dynamic/ext\n\ngo 1.24\n');
  await writeFile(join(extensionTo, 'ext.go'), extension);
  await run('go', ['mod', 'edit', ...[...replaced, `${lego}=./lego`].map((one) => `-replace=${one}`)], options);
  const args = ['build', '-mod=mod', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', program];
  await run('go', [...args, './cmd/traefik'], options);
}

/** Copies what is compiled. The module cache is read-only, and so would a plain copy be. */
async function copySources(from: string, to: string, isWanted = (_path: string): boolean => true): Promise<void> {
  await cp(from, to, {
    recursive: true,
    filter: (path) => isWanted(path) && !/_test\.go$|testdata|fixtures/.test(path),
  });
  const all = await readdir(to, { recursive: true, withFileTypes: true }).catch(() => []);
  await chmod(to, all.length === 0 ? 0o644 : 0o755);
  for (const one of all) await chmod(join(one.parentPath, one.name), one.isDirectory() ? 0o755 : 0o644);
}

export interface TraefikOptions extends ModuleOptions {
  /** What answers in place of the pods, whatever their address: over HTTP, by the Host that it is asked for. */
  pods: string;
  /** Ports that pods listen on. */
  ports: readonly number[];
  /** Where in `pods` the middleware asks that guards the registry. */
  authorisation: string;
}

/** Traefik as k3s starts it, but for the IngressRoutes, which the lab has none of. */
export interface Traefik {
  /** `address:port`. */
  web: string;
  websecure: string;
  process: LabProcess;
}

/**
 * Starts Traefik in a network of its own, in which every pod's address leads to one server: it watches the lab's API server and
 * serves its Secrets. It needs root.
 *
 * @throws McprtError `lab-build`, `lab-start`
 */
export async function startTraefik(state: LabState, options: TraefikOptions): Promise<Traefik> {
  const program = await buildTraefik(options);
  const folder = join(state.folder, 'traefik');
  await mkdir(folder, { recursive: true });
  const dynamic = join(folder, 'dynamic.yaml');
  // An address among the pods' that is nobody's.
  const forwardAuth = { address: `http://10.255.255.254:${options.ports[0]}${options.authorisation}` };
  const [middleware = ''] = registryAuth.middleware.split('@');
  await writeFile(dynamic, stringify({ http: { middlewares: { [middleware]: { forwardAuth } } } }));
  const { web, websecure } = state.traefik;
  const flags = [
    `--entryPoints.web.address=${web}`,
    `--entryPoints.websecure.address=${websecure}`,
    '--entryPoints.websecure.http.tls=true',
    '--providers.kubernetesingress=true',
    '--providers.kubernetesingress.allowEmptyServices=true',
    '--providers.kubernetesingress.ingressendpoint.publishedservice=kube-system/traefik',
    `--providers.file.filename=${dynamic}`,
    '--global.checknewversion=false',
    '--global.sendanonymoususage=false',
  ];
  const words = ['/usr/bin/env', `KUBECONFIG=${state.kubeconfig}`, program, ...flags];
  const apart = {
    inward: [new URL(state.server).host],
    outward: [web, websecure],
    network: '10.0.0.0/8',
    behind: Object.fromEntries(options.ports.map((port) => [String(port), new URL(options.pods).host])),
    programs: [{ words }],
  };
  const started = await startApart(state, 'traefik', folder, apart, options);
  const isUp = (): Promise<boolean> => answersTls(websecure).then((answers) => answers || !isRunning(started));
  if (!(await found(isUp, { seconds: startSeconds, every: 100 })) || !isRunning(started)) {
    throw new McprtError('lab-start', {
      what: 'Traefik did not come up',
      why: (await readFile(started.log, 'utf8')).trimEnd().split('\n').slice(-5).join('\n'),
      next: 'try again; when it happens twice, the lines above say why',
    });
  }
  return { web, websecure, process: started };
}

function answersTls(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false, timeout: 2_000 });
    const end = (answers: boolean) => (): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('secureConnect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}
