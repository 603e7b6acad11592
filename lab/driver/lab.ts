import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { connectWithKubeconfig } from '../../shared/cluster/connect.js';
import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { isRecord } from '../../shared/json.js';
import { accountNamespace } from '../../shared/permissions/operations.js';
import { removeCgroups } from './cgroups.js';
import { buildControllers } from './controllers.js';
import { buildKine, type Datastore, kineFlags } from './datastore.js';
import { labsFolder } from './folders.js';
import { buildKubernetes, kubernetesParts } from './kubernetes.js';
import { takeAway } from './left-behind.js';
import { buildPlain } from './plain-program.js';
import { claimPorts, releasePorts } from './ports.js';
import { isRunning, type LabProcess, signalProcesses, startProcess, stopProcesses } from './processes.js';
import { buildProgram, ownKubernetes, type Program } from './program.js';
import type { Progress } from './progress.js';
import { found } from './until.js';

/** A lab as its folder describes it: everything that another process needs to use it. */
export interface LabState {
  name: string;
  folder: string;
  /** The file by which its ports are its own. */
  ports: string;
  kubeconfig: string;
  server: string;
  acme: { directory: string; caBundle: string; control: string };
  /** Where HTTP-01 and DNS faults are switched (lab/driver/faults.ts), and `address:port` of the DNS server with them. */
  challenges: { control: string; dns: string };
  /** `address:port` that is kept for the image registry (lab/driver/registry.ts); a port-forward to its pod leads there. */
  registry: string;
  /** `address:port` that are kept for a real node's kubelet and for the proxy to its pods (lab/driver/node.ts). */
  node: { kubelet: string; proxy: string };
  /** Those that are kept for Traefik's entry points (lab/driver/traefik.ts). */
  traefik: { web: string; websecure: string };
  program: Program;
  /** The control plane's file of whose identities it takes; the API server reads it again when it changes. */
  authentication: string;
  processes: LabProcess[];
}

/** Keeps what a lab is made of where `stopLab` finds it: every process that is not in it would be left behind. */
export async function keepState(state: LabState): Promise<void> {
  await writeFile(join(state.folder, 'state.json'), JSON.stringify(state, null, 2));
}

/** Nodes with this label are no business of kwok's: a kubelet stand-in of their own looks after them. */
export const ownKubeletLabel = 'lab.mcprt.dev/kubelet';

export interface LabOptions {
  name: string;
  env: NodeJS.ProcessEnv;
  progress: Progress;
  /** Whether the API server is made to have no ValidatingAdmissionPolicy, as before Kubernetes 1.30. */
  before130?: boolean;
  /** The version of the control plane, such as `1.30.14`; that of lab/cluster when left out. */
  kubernetes?: string;
  /** The version of cert-manager's controllers and CRDs, such as `1.16.2`; that of lab/cluster when left out. */
  certManager?: string;
  /** etcd when left out. */
  datastore?: Datastore;
  /** With 2, cert-manager's API server is another one than everybody else's, and can be made late (`holdPoliciesBack`). */
  apiServers?: 1 | 2;
}

/** What an API server lacked before Kubernetes 1.30, and does without when these flags say so. */
const before130Flags = [
  '--runtime-config=admissionregistration.k8s.io/v1/validatingadmissionpolicies=false,admissionregistration.k8s.io/v1/validatingadmissionpolicybindings=false',
  '--disable-admission-plugins=ValidatingAdmissionPolicy',
];

/** An API server that trusts no issuer of identities but its own. Only beta before Kubernetes 1.34. */
const noIdentities = (minor: number): string =>
  `apiVersion: apiserver.config.k8s.io/${minor < 34 ? 'v1beta1' : 'v1'}\nkind: AuthenticationConfiguration\njwt: []\n`;
/** In s. */
const startDeadline = 90;
/** In ms. The API server drains for longer, and etcd waits for it; what they would save is deleted. */
const stopPatience = 1000;

/**
 * Brings a lab up: etcd, API server, controller-manager, scheduler, one kwok node, the challenge server, and the ACME
 * server. cert-manager's CRDs and process come with the platform's installer, as on a real cluster.
 *
 * @throws McprtError `lab-exists`, `lab-start`
 */
export async function startLab(options: LabOptions): Promise<LabState> {
  const folder = labFolder(options);
  if (existsSync(folder)) {
    throw new McprtError('lab-exists', {
      what: `there is already a lab named ${options.name}`,
      why: `its folder is ${folder}`,
      next: `npm run lab -- down --name ${options.name}`,
    });
  }
  const built = await buildProgram(options.env, options.progress);
  const { certManager, kubernetes } = options;
  const other = certManager === undefined ? undefined : await buildControllers(certManager, options);
  const program: Program = {
    ...built,
    ...(other && { crds: other.crds, controllers: other.program }),
    ...(kubernetes !== undefined && { kubernetes: await buildKubernetes(kubernetes, options) }),
    ...(options.datastore === 'kine' && { kine: await buildKine(options) }),
    ...(options.apiServers === 2 && { relay: await buildPlain(relay, options) }),
  };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const processes: LabProcess[] = [];
  try {
    return await startParts(options, folder, program, processes);
  } catch (cause) {
    await stopProcesses(processes);
    const logs = await Promise.all(
      processes.map(async ({ name, log }) => `${name}: ${(await tail(log, 3)).join(' | ')}`),
    );
    await rm(folder, { recursive: true, force: true });
    throw new McprtError('lab-start', {
      what: 'the lab did not come up',
      why: [messageOf(cause), ...logs].join('\n'),
      next: 'try again; when it happens twice, the lines above say which part failed',
      cause,
    });
  }
}

/** Reads the state of a lab that is up. @throws McprtError `lab-missing` */
export async function readLab(options: Pick<LabOptions, 'name' | 'env'>): Promise<LabState> {
  try {
    return JSON.parse(await readFile(join(labFolder(options), 'state.json'), 'utf8')) as LabState;
  } catch (cause) {
    throw new McprtError('lab-missing', {
      what: `there is no lab named ${options.name}`,
      why: messageOf(cause),
      next: `npm run lab -- up --name ${options.name}`,
    });
  }
}

/** Ends every process of a lab and removes its folder. */
export async function stopLab(state: LabState): Promise<void> {
  await stopProcesses([...state.processes].reverse(), stopPatience);
  await removeCgroups(state.name);
  await rm(state.folder, { recursive: true, force: true });
  await releasePorts(state.name, state.ports);
}

/** Takes away what is left of a lab that was killed while it came up, and has no state yet. */
export async function removeLeft(options: Pick<LabOptions, 'name' | 'env'>): Promise<void> {
  await takeAway(labFolder(options));
}

/** The names of all labs that are up, or that a killed driver left. */
export async function labNames(env: NodeJS.ProcessEnv): Promise<string[]> {
  const folder = labsFolder(env);
  return existsSync(folder) ? (await readdir(folder)).sort() : [];
}

/** Ends one part of a lab as a crash would. */
export async function killPart(state: LabState, name: string): Promise<void> {
  await stopProcesses(partsOf(state, name), 0);
}

/** Starts a part again that was ended, with the same arguments. */
export async function startPart(state: LabState, name: string): Promise<void> {
  for (const part of partsOf(state, name)) {
    const again = await startProcess(name, part.command, part.args, { log: part.log, env: part.env });
    Object.assign(part, again);
  }
}

/** Lets the second API server hear nothing more of admission policies, until `letPoliciesThrough`. */
export function holdPoliciesBack(state: LabState): void {
  signalProcesses(partsOf(state, relay), 'SIGSTOP');
}

/** Lets the second API server hear what it has missed. */
export function letPoliciesThrough(state: LabState): void {
  signalProcesses(partsOf(state, relay), 'SIGCONT');
}

function partsOf({ processes }: LabState, name: string): LabProcess[] {
  return processes.filter((one) => one.name === name);
}

export function runningParts(state: LabState): { name: string; pid: number; running: boolean }[] {
  return state.processes.map((one) => ({ name: one.name, pid: one.pid, running: isRunning(one) }));
}

/** Connects to the lab's cluster as its administrator. */
export async function openLab(state: LabState): Promise<Cluster> {
  return (await connectWithKubeconfig(state.kubeconfig)).cluster;
}

function labFolder(options: Pick<LabOptions, 'name' | 'env'>): string {
  if (!/^[a-z0-9-]{1,40}$/.test(options.name)) {
    throw new McprtError('lab-name', {
      what: `"${options.name}" is no name for a lab`,
      why: 'it becomes the name of a folder',
      next: 'use lower-case letters, digits and dashes',
    });
  }
  return join(labsFolder(options.env), options.name);
}

/** What stands between the second API server and etcd, for admission policies only. */
const relay = 'relay';
/** What is listened on for, a port each. */
const portNames = [
  ...(['api', 'etcdClient', 'etcdPeer', 'manager', 'scheduler', 'kwok'] as const),
  ...(['http01', 'dns', 'acme', 'control', 'faults', 'registry', 'kubelet', 'proxy', 'web', 'websecure'] as const),
  ...(['secondApi', relay] as const),
] as const;
type Ports = Readonly<Record<(typeof portNames)[number], number>>;

/** A lab that is coming up. */
interface Starting {
  folder: string;
  program: Program;
  ports: Ports;
  kubeconfig: string;
  server: string;
  /** Key of ServiceAccounts' tokens. */
  key: string;
  authentication: string;
  start(name: string, args: string[], env?: NodeJS.ProcessEnv): Promise<void>;
}

async function startParts(
  options: LabOptions,
  folder: string,
  program: Program,
  processes: LabProcess[],
): Promise<LabState> {
  const claimed = await claimPorts(options.name, portNames.length, options.env);
  const ports = Object.fromEntries(portNames.map((name, at) => [name, claimed.ports[at] ?? 0])) as Ports;
  const lab: Starting = {
    folder,
    program,
    ports,
    kubeconfig: join(folder, 'kubeconfig'),
    server: `https://${at(ports.api)}`,
    key: join(folder, 'service-account.key'),
    authentication: join(folder, 'authentication.yaml'),
    async start(name, args, env = {}) {
      const own = { log: join(folder, `${name}.log`), env: { ...passedOn(options.env), HOME: folder, ...env } };
      const words = ownPrograms.includes(name) ? args : [name, ...args];
      processes.push(await startProcess(name, executableOf(name, program), words, own));
    },
  };
  const more = options.before130 ? before130Flags : [];
  const minor = Number((options.kubernetes ?? ownKubernetes).split('.')[1]);
  const flags = await startApiServer(lab, minor, [...(await auditFlags(options, folder)), ...more]);
  const { cluster } = await connectWithKubeconfig(lab.kubeconfig);
  try {
    await eventually('the API server', () => cluster.get(kinds.namespace, { name: 'kube-system' }).then(present));
    await startControllers(lab);
    await startKwok(lab);
    const own = options.apiServers === 2 ? await startSecondApiServer(lab, flags) : lab.kubeconfig;
    const acmeCa = await startAcme(lab, own, () => cluster.apply(kinds.node, node(), { manager: 'lab' }));
    await eventually('what the API server grants everybody', () => everybodyMayAsk(cluster));
    const state: LabState = {
      name: options.name,
      folder,
      ports: claimed.file,
      program,
      authentication: lab.authentication,
      kubeconfig: lab.kubeconfig,
      server: lab.server,
      acme: {
        directory: `https://${at(ports.acme)}/dir`,
        caBundle: Buffer.from(acmeCa).toString('base64'),
        control: `http://${at(ports.control)}`,
      },
      challenges: { control: `http://${at(ports.faults)}`, dns: at(ports.dns) },
      registry: at(ports.registry),
      node: { kubelet: at(ports.kubelet), proxy: at(ports.proxy) },
      traefik: { web: at(ports.web), websecure: at(ports.websecure) },
      processes,
    };
    await keepState(state);
    return state;
  } finally {
    await cluster.close();
  }
}

/** What a part of a lab gets of the environment: by its own id for a job's processes, a runner ends what a killed step has left. */
function passedOn({ PATH, RUNNER_TRACKING_ID }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { PATH, ...(RUNNER_TRACKING_ID && { RUNNER_TRACKING_ID }) };
}

/** Parts that are programs of their own; the others are sub-commands. */
const ownPrograms: readonly string[] = ['kwok', 'kine', relay];

function executableOf(name: string, { lab, kwok, kine, kubernetes, relay: relaying }: Program): string {
  if (name === 'kwok') return kwok;
  if (name === 'kine' && kine !== undefined) return kine;
  if (name === relay && relaying !== undefined) return relaying;
  return kubernetes !== undefined && kubernetesParts.includes(name) ? kubernetes : lab;
}

const at = (port: number): string => `127.0.0.1:${port}`;

/** Starts etcd, or what stands in its place, and the API server, and writes its administrator's kubeconfig. @returns its flags */
async function startApiServer(
  { folder, program, ports, kubeconfig, server, key, authentication, start }: Starting,
  minor: number,
  more: string[],
): Promise<string[]> {
  const token = randomBytes(24).toString('hex');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(key, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  await writeFile(join(folder, 'tokens.csv'), `${token},lab-admin,lab-admin,system:masters\n`, { mode: 0o600 });
  await writeFile(authentication, noIdentities(minor));
  if (program.kine === undefined) {
    await start('etcd', [
      `--data-dir=${join(folder, 'etcd')}`,
      `--client-url=http://${at(ports.etcdClient)}`,
      `--peer-url=http://${at(ports.etcdPeer)}`,
    ]);
  } else {
    await start('kine', kineFlags(folder, at(ports.etcdClient)));
  }
  const flags = [
    `--etcd-servers=http://${at(ports.etcdClient)}`,
    `--cert-dir=${join(folder, 'apiserver')}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.api}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--service-cluster-ip-range=10.43.0.0/16',
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    // Before 1.30 it is an experiment behind a gate.
    ...(minor < 30 ? [] : [`--authentication-config=${authentication}`]),
    '--authorization-mode=RBAC',
    '--disable-admission-plugins=ServiceAccount',
    // No DNS knows the nodes' names.
    '--kubelet-preferred-address-types=InternalIP',
    ...more,
  ];
  await start('apiserver', flags);
  const ca = await eventually('the API server’s certificate', () =>
    wholeCertificates(join(folder, 'apiserver', 'apiserver.crt')),
  );
  await writeFile(kubeconfig, kubeconfigText(server, ca, token), { mode: 0o600 });
  return flags;
}

/**
 * Starts a second API server on the same etcd, with the same certificate and keys. Admission policies reach it by a way of their own,
 * on which they can be held back.
 *
 * @returns path of a kubeconfig for it
 */
async function startSecondApiServer(
  { folder, ports, kubeconfig, server, start }: Starting,
  flags: readonly string[],
): Promise<string> {
  await start(relay, [at(ports.relay), at(ports.etcdClient)]);
  const policies = ['validatingadmissionpolicies', 'validatingadmissionpolicybindings'];
  const overrides = policies.map((one) => `admissionregistration.k8s.io/${one}#http://${at(ports.relay)}`);
  await start('apiserver', [
    ...flags,
    `--secure-port=${ports.secondApi}`,
    // Of the servers that Service `kubernetes` leads to, each has an address of its own; nobody calls this one.
    '--advertise-address=198.51.100.2',
    `--etcd-servers-overrides=${overrides.join(',')}`,
  ]);
  const own = join(folder, 'kubeconfig-2');
  const text = await readFile(kubeconfig, 'utf8');
  await writeFile(own, text.replace(server, `https://${at(ports.secondApi)}`), { mode: 0o600 });
  const { cluster } = await connectWithKubeconfig(own);
  try {
    await eventually('the second API server', () =>
      cluster.get(kinds.namespace, { name: 'kube-system' }).then(present),
    );
  } finally {
    await cluster.close();
  }
  return own;
}

async function startControllers({ folder, ports, kubeconfig, key, start }: Starting): Promise<void> {
  await start('controller-manager', [
    `--kubeconfig=${kubeconfig}`,
    `--service-account-private-key-file=${key}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.manager}`,
    // A namespace deletion waits for this many workers; the default serves big clusters.
    '--concurrent-namespace-syncs=20',
    // And each new namespace gets its account and its CA at this rate; the default is 20 writes a second.
    '--kube-api-qps=200',
    '--kube-api-burst=400',
    `--cert-dir=${join(folder, 'controller-manager')}`,
  ]);
  await start('scheduler', [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.scheduler}`,
    `--cert-dir=${join(folder, 'scheduler')}`,
  ]);
}

/** Starts what looks after nodes and pods. */
async function startKwok({ folder, program, ports, kubeconfig, start }: Starting): Promise<void> {
  const forward = join(folder, 'port-forward.yaml');
  await writeFile(forward, stringify(portForward(ports.registry)));
  const configs = [...(await stageFiles(program.stages)), forward];
  await start('kwok', [
    `--kubeconfig=${kubeconfig}`,
    `--manage-nodes-with-label-selector=!${ownKubeletLabel}`,
    `--server-address=${at(ports.kwok)}`,
    '--node-ip=127.0.0.1',
    `--node-port=${ports.kwok}`,
    ...configs.map((file) => `--config=${file}`),
  ]);
}

/**
 * Starts the ACME server, what answers its questions, and what runs cert-manager.
 *
 * @param certManagers cert-manager's kubeconfig
 * @returns the ACME server's CA
 */
async function startAcme(
  { ports, program, kubeconfig, start }: Starting,
  certManagers: string,
  makeNode: () => Promise<unknown>,
): Promise<string> {
  const [http01, dns] = [at(ports.http01), at(ports.dns)];
  await start(
    'acme',
    [`--listen=${at(ports.acme)}`, `--control=${at(ports.control)}`, `--http-port=${ports.http01}`, `--dns=${dns}`],
    // An authorization that is still valid would let a name through whose way from outside is broken by now.
    { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_AUTHZREUSE: '0' },
  );
  await makeNode();
  const own = `--kubeconfig=${kubeconfig}`;
  await start('challenges', [own, `--http01=${http01}`, `--dns=${dns}`, `--control=${at(ports.faults)}`]);
  const controllers = program.controllers === undefined ? [] : [`--program=${program.controllers}`];
  const flags = [`--kubeconfig=${certManagers}`, `--nameserver=${dns}`, `--http01=${http01}`];
  await start('cert-manager-pod', [own, ...controllers, '--', ...flags]);
  return eventually('the ACME server', async () => (await fetch(`http://${at(ports.control)}/certificate`)).text());
}

const subjectAccessReview: Kind = {
  kind: 'SubjectAccessReview',
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'subjectaccessreviews',
  namespaced: false,
};

/** A new API server answers an administrator before it has made its own roles. @throws Error until it has */
async function everybodyMayAsk(cluster: Cluster): Promise<void> {
  const review = await cluster.create<KubeObject>(subjectAccessReview, {
    apiVersion: `${subjectAccessReview.group}/${subjectAccessReview.version}`,
    kind: subjectAccessReview.kind,
    metadata: { name: '' },
    spec: {
      user: 'somebody',
      groups: ['system:authenticated'],
      resourceAttributes: { verb: 'create', group: subjectAccessReview.group, resource: 'selfsubjectrulesreviews' },
    },
  });
  if (!isRecord(review.status) || review.status.allowed !== true) throw new Error('it does not let accounts ask yet');
}

/** With it, bundles run with the generated RBAC only. Its value is the folder that the labs write their audit logs to. */
export const rbacVariable = 'MCPRT_LAB_RBAC';

/** The API server's flags that log what the operations' accounts ask for, where that is wanted. */
async function auditFlags({ name, env }: LabOptions, folder: string): Promise<string[]> {
  const logs = env[rbacVariable];
  if (!logs) return [];
  const policy = join(folder, 'audit-policy.yaml');
  const rules = [{ level: 'Metadata', userGroups: [`system:serviceaccounts:${accountNamespace}`] }, { level: 'None' }];
  const text = stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules });
  await writeFile(policy, text);
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${join(logs, `${name}.audit`)}`];
}

/** Where kwok leads a port-forward to the registry's pod: to the real registry, when it runs. */
function portForward(port: number): Record<string, unknown> {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'ClusterPortForward',
    metadata: { name: 'registry' },
    spec: {
      selector: { matchNamespaces: ['registry'] },
      forwards: [{ ports: [5000], target: { address: '127.0.0.1', port } }],
    },
  };
}

async function stageFiles(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true });
  return found
    .filter((file) => file.endsWith('.yaml') && !file.endsWith('kustomization.yaml'))
    .map((file) => join(folder, file));
}

function kubeconfigText(server: string, ca: string, token: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'lab', user: { token } }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab' } }],
    'current-context': 'lab',
  });
}

/** One worker that looks like k3s to whoever asks for its version. */
function node(): KubeObject {
  const resources = { cpu: '64', memory: '256Gi', pods: '100k', 'ephemeral-storage': '1Ti' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'lab-node',
      labels: { 'kubernetes.io/hostname': 'lab-node', 'kubernetes.io/arch': 'amd64', 'kubernetes.io/os': 'linux' },
    },
    // kwok keeps what is there when it sees the node for the first time, and fills in the rest.
    status: {
      allocatable: resources,
      capacity: resources,
      nodeInfo: { architecture: 'amd64', operatingSystem: 'linux', kubeletVersion: 'v1.33.4+k3s1' },
    },
  };
}

/** The API server's certificate with its CA's. It may be read while it is being written. @throws Error until both are there */
async function wholeCertificates(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  const count = text.match(/-----END CERTIFICATE-----\n/g)?.length ?? 0;
  if (count < 2) throw new Error(`${file} has ${count} certificates, and not two yet`);
  return text;
}

/** Tries again until it works or the lab's start deadline has passed. */
async function eventually<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  let last: unknown;
  const attempted = (): Promise<{ value: T } | undefined> =>
    attempt().then(
      (value) => ({ value }),
      (error: unknown) => {
        last = error;
        return undefined;
      },
    );
  const seen = await found(attempted, { seconds: startDeadline, every: 50 });
  if (seen === undefined) throw new Error(`${what} is not there after ${startDeadline} s: ${messageOf(last)}`);
  return seen.value;
}

function present<T>(found: T | undefined): T {
  if (found === undefined) throw new Error('not there yet');
  return found;
}

async function tail(file: string, lines: number): Promise<string[]> {
  return (await readFile(file, 'utf8')).trimEnd().split('\n').slice(-lines);
}
