import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { stringify } from 'yaml';
import { type ActionOptions, type ActionRun, defaultsOf, runBundle } from '../lab/driver/action.js';
import { certManagerObjects } from '../lab/platform/cert-manager.js';
import { makeBinary, makeCheckout } from '../lab/platform/checkout.js';
import { type Front, startFront } from '../lab/platform/front.js';
import { installK3s } from '../lab/platform/k3s.js';
import type { ProofContext } from './proof.js';
import { makeRig, type Rig } from './rig.js';

/** A rig that looks like k3s from outside, with the platform's stand-in installer, and action-setup to run on it. */
export interface Stage {
  rig: Rig;
  front: Front;
  /** Folder of the stand-in's source, which builds with Go. */
  source: string;
  /** Path of the profile. */
  profile: string;
  /** The stand-in, ready to run. */
  binary: string;
  /** PEM of the root that the ACME server's certificates chain to. */
  root: string;
  /** Runs action-setup; what it needs of this lab is given, unless the inputs say otherwise. */
  setup(
    inputs?: Record<string, string>,
    env?: Record<string, string>,
    onStart?: ActionOptions['onStart'],
  ): Promise<ActionRun>;
  /** Runs the post step of action-setup, as the runner does after the job's last step. */
  post(env?: Record<string, string>): Promise<ActionRun>;
  /** Serial numbers that a TLS client is shown, by public host. */
  onTheWire(): Promise<Record<string, string>>;
  close(): Promise<void>;
}

/** Brings a lab up that action-setup can install on. */
export async function makeStage(
  context: ProofContext,
  folder = context.folder,
  { pushMilliseconds = 50 } = {},
): Promise<Stage> {
  await mkdir(folder, { recursive: true });
  const rig = await makeRig({ ...context, folder });
  await installK3s(rig.cluster);
  const { domain } = rig.installation;
  const front = await startFront(rig.cluster, { domain });
  const [source, binary] = [join(folder, 'platform'), join(folder, 'bin', 'mcp-runtime')];
  const settings = {
    pollMilliseconds: 100,
    pushMilliseconds,
    floors: { certificate: 30, internalCertificate: 30 },
  };
  const standIn = { installation: rig.installation, settings };
  await Promise.all([makeCheckout(source, { ...standIn, domain }), makeBinary(binary, standIn)]);
  const [profile, manifest] = [join(folder, 'profile.env'), join(folder, 'cert-manager.yaml')];
  const root = await (await fetch(`${rig.state.acme.control}/root`)).text();
  const objects = await certManagerObjects(rig.installation.crds);
  await Promise.all([
    writeFile(profile, profileText(domain)),
    writeFile(manifest, objects.map((object) => stringify(object)).join('---\n')),
  ]);
  const defaults = await defaultsOf('action-setup');
  const run = (
    entry: string,
    inputs: Record<string, string>,
    env: Record<string, string>,
    onStart?: ActionOptions['onStart'],
  ) =>
    runBundle({
      entry,
      folder,
      defaults,
      inputs: {
        kubeconfig: rig.state.kubeconfig,
        profile,
        source,
        binary,
        'acme-email': `ops@${domain}`,
        'restore-key': rig.keys.restore,
        stores: 'directory',
        directory: rig.backups,
        'cert-manager-manifest': manifest,
        'ca-bundle': root,
        resolve: front.resolve.join('\n'),
        'cert-timeout': '60s',
        'rollout-timeout': '60s',
        doctor: 'false',
        ...inputs,
      },
      env: {
        GITHUB_REPOSITORY: 'acme/platform',
        GITHUB_REPOSITORY_ID: '42',
        GITHUB_RUN_ID: '1',
        GITHUB_JOB: 'setup',
        ...env,
      },
      ...(onStart ? { onStart } : {}),
    });
  return {
    rig,
    front,
    source,
    profile,
    binary,
    root,
    setup: (inputs = {}, env = {}, onStart) => run('setup.js', inputs, env, onStart),
    post: (env = {}) => run('setup-post.js', {}, { STATE_started: 'yes', ...env }),
    onTheWire: async () => {
      const hosts = ['registry', 'mcp', 'platform'].map((label) => `${label}.${domain}`);
      const serials = await Promise.all(
        hosts.map(async (host) => [host, await serialOf(host, front.httpsPort)] as const),
      );
      return Object.fromEntries(serials);
    },
    async close() {
      await front.close();
      await rig.close();
    },
  };
}

/** Stands in a profile that the runner has checked out or written, and nowhere else. */
export const profilePassword = 'f4b1c07de2a94c3381d6a95e0c7b2d18';

function profileText(domain: string): string {
  return [
    `export MCP_PLATFORM_DOMAIN=${domain}`,
    'export MCP_IMAGE_PLATFORM=linux/amd64',
    `export MCP_PLATFORM_ADMIN_EMAIL=admin@${domain}`,
    `export MCP_PLATFORM_ADMIN_PASSWORD=${profilePassword}`,
    `export MCP_REGISTRY_ENDPOINT=registry.${domain}`,
    '',
  ].join('\n');
}

function serialOf(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: host, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber.toLowerCase().replace(/^0+/, ''));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
