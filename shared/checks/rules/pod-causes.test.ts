import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../../cluster/objects.js';
import { troublesOf } from '../../cluster/workloads.js';
import type { Cause } from './cause.js';
import { containerCause, withCauseOfLog } from './pod-causes.js';
import { lastProbe } from './probe-causes.js';
import { refusalCause, unscheduledCause } from './refusal-causes.js';
import { firstCause, setUpCause } from './waiting-causes.js';

const spec = {
  initContainers: [{ name: 'migrate' }, { name: 'proxy', restartPolicy: 'Always' }],
  containers: [{ name: 'api', resources: { limits: { memory: '64Mi' } } }],
  volumes: [
    { name: 'tls', secret: { secretName: 'api-tls' } },
    { name: 'conf', configMap: { name: 'api-conf' } },
  ],
};
const pod = (status: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', uid: 'u' },
  spec,
  status,
});
const warning = (reason: string, message: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'e', namespace: 'n' },
  reason,
  message,
  involvedObject: { uid: 'u' },
});
const waits = (reason: string, message = '', lastState: object = {}) => ({
  name: 'api',
  image: 'i',
  restartCount: 2,
  state: { waiting: { reason, message } },
  lastState,
});
const ended = (reason: string, exitCode: number) => ({ terminated: { reason, exitCode } });
const causeOf = (status: object, warnings: KubeObject[] = [], list = 'containerStatuses'): Cause => {
  const one = pod({ [list]: [status] });
  const [trouble] = troublesOf(one);
  if (trouble === undefined) throw new Error('it has no trouble');
  return containerCause(one, trouble, warnings);
};
const back = 'CrashLoopBackOff';
const task = 'failed to create containerd task: failed to create shim task: OCI runtime create failed: ';

describe('the cause of a container that does not run', () => {
  it.each<[object, string, string]>([
    [waits(back, '', ended('Error', 1)), 'pod-crash-loop', 'its container keeps crashing'],
    [
      waits(back, '', ended('OOMKilled', 137)),
      'pod-crash-loop',
      'its container is killed for its memory: its limit is 64Mi',
    ],
    [
      waits(back, '', ended('Completed', 0)),
      'pod-crash-loop',
      'its container ends, with exit code 0, where it should run',
    ],
    [
      waits('CreateContainerConfigError', 'secret "extra" not found'),
      'pod-config',
      'its container cannot be made: Secret extra is not there',
    ],
    [
      waits('CreateContainerConfigError', 'configmap "extra" not found'),
      'pod-config',
      'its container cannot be made: ConfigMap extra is not there',
    ],
    [
      waits('CreateContainerConfigError', "couldn't find key KEY in Secret n/extra"),
      'pod-config',
      'its container cannot be made: Secret extra has no key KEY',
    ],
    [
      waits(
        'CreateContainerConfigError',
        'container has runAsNonRoot and image will run as root (pod: "p", container: api)',
      ),
      'pod-config',
      'its container cannot be made: its image would run as root, which its securityContext forbids',
    ],
    [
      waits('RunContainerError', `${task}exec: "/app": stat /app: no such file or directory`),
      'pod-config',
      'its container cannot be started: its image has no /app',
    ],
    [
      waits(back, `${task}exec: "/app": permission denied`, ended('StartError', 128)),
      'pod-config',
      'its container cannot be started: /app may not be executed',
    ],
    [waits('PostStartHookError', 'exit 1'), 'pod-config', 'its container cannot be started: its hook fails'],
    [
      waits('CreateContainerError', 'context deadline exceeded'),
      'pod-config',
      'its container is not started yet: its node is slow',
    ],
    [
      waits(back, 'exec format error', ended('Error', 1)),
      'image-architecture',
      'the image was built for another processor than the node’s',
    ],
  ])('is told of %j', (status, code, cause) => {
    expect(causeOf(status)).toMatchObject({ code, cause });
  });

  it.each<[string, string, string]>([
    ['ErrImagePull', 'no match for platform in manifest', 'the image was built for another processor than the node’s'],
    ['ErrImagePull', 'x509: certificate has expired or is not yet valid', 'the registry’s certificate has expired'],
    [
      'ErrImagePull',
      'x509: certificate signed by unknown authority',
      'the node does not trust the registry’s certificate',
    ],
    [
      'ErrImagePull',
      'http: server gave HTTP response to HTTPS client',
      'the registry speaks plain HTTP where the node asks for HTTPS',
    ],
    ['SignatureValidationFailed', 'Source image rejected', 'the node refuses the image for its signature'],
    ['ErrImagePull', '401 Unauthorized', 'the registry refuses the credentials that the node pulls with'],
    ['ErrImagePull', '429 Too Many Requests', 'the registry turns the node away: too many requests'],
    ['ErrImagePull', 'write /var: no space left on device', 'the node’s disk is full'],
    ['InvalidImageName', '', 'what it has for an image is no name of one'],
    ['ErrImageNeverPull', '', 'the image is not on the node, and imagePullPolicy is Never'],
    ['ErrImagePull', 'a/b: not found', 'the image is not in the registry'],
    ['ErrImagePull', 'dial tcp: lookup r: no such host', 'the node does not find the registry’s name in its DNS'],
    ['ErrImagePull', 'connect: connection refused', 'the registry does not answer the node'],
    ['ErrImagePull', 'something else', 'the node cannot pull the image'],
  ])('is what keeps its image away: %s %s', (reason, message, cause) => {
    expect(causeOf(waits(reason, message)).cause).toBe(cause);
  });

  it('is the probe that has it killed', () => {
    const warnings = [warning('Unhealthy', 'Liveness probe failed: HTTP probe failed with statuscode: 500\nmore')];
    expect(causeOf(waits(back, '', ended('Error', 137)), warnings).cause).toBe(
      'its container is killed as its liveness probe fails: HTTP probe failed with statuscode: 500',
    );
  });

  it.each([
    ['migrate', 'its init container migrate keeps crashing'],
    ['proxy', 'its sidecar proxy keeps crashing'],
  ])('names the init container or sidecar: %s', (name, cause) => {
    const status = { ...waits(back, '', ended('Error', 1)), name };
    expect(causeOf(status, [], 'initContainerStatuses').cause).toBe(cause);
  });
});

describe('the cause of a container that keeps ending', () => {
  const crash = { code: 'pod-crash-loop', cause: 'its container keeps crashing', remedy: 'logs' } as const;

  it('is its processor, where only its log says so', () => {
    // As runc 1.4 has it: the kubelet is told of exit code 255 and of nothing else.
    const told = withCauseOfLog(crash, ['exec /server: exec format error']);
    expect(told.code).toBe('image-architecture');
    expect(told.cause).toMatch(/another processor/);
  });

  it.each([
    ['another last line', crash, ['panic: no route to the database']],
    ['a cause that is known already', { ...crash, code: 'probe-failing' } as const, ['exec format error']],
  ])('stays as it is with %s', (_, finding, lines) => {
    expect(withCauseOfLog(finding, lines)).toEqual(finding);
  });
});

describe('what a pod waits for', () => {
  const running = (name: string, more: object = {}) => ({
    initContainerStatuses: [{ name, state: { running: { startedAt: 't' } }, ...more }],
  });

  it('is the init container that has not ended, or the sidecar that has not started', () => {
    expect(firstCause(pod(running('migrate')), [])?.cause).toBe('its init container migrate has not ended');
    expect(firstCause(pod(running('proxy', { started: false })), [])?.cause).toBe('its sidecar proxy has not started');
    expect(firstCause(pod(running('proxy', { started: true })), [])).toBeUndefined();
    expect(firstCause(pod({}), [])).toBeUndefined();
  });

  it.each<[string, string, string | undefined]>([
    [
      'FailedMount',
      'MountVolume.SetUp failed for volume "tls" : secret "api-tls" not found',
      'its volume tls cannot be mounted: Secret api-tls is not there',
    ],
    [
      'FailedMount',
      'MountVolume.SetUp failed for volume "conf" : configmap "api-conf" not found',
      'its volume conf cannot be mounted: ConfigMap api-conf is not there',
    ],
    [
      'FailedMount',
      'MountVolume.SetUp failed for volume "tls" : references non-existent secret key: tls.crt',
      'its volume tls cannot be mounted: Secret api-tls has no key tls.crt',
    ],
    [
      'FailedMount',
      'MountVolume.SetUp failed for volume "conf" : configmap references non-existent config key: a',
      'its volume conf cannot be mounted: ConfigMap api-conf has no key a',
    ],
    [
      'FailedAttachVolume',
      'Multi-Attach error for volume "pvc-1" Volume is already used',
      'its volume pvc-1 cannot be mounted',
    ],
    ['FailedCreatePodSandBox', 'failed to setup network for sandbox', 'its node cannot give its pod a network'],
    ['Unhealthy', 'Readiness probe failed', undefined],
  ])('is told by %s: %s', (reason, message, cause) => {
    expect(setUpCause(pod({}), [warning(reason, message)])?.cause).toBe(cause);
  });
});

describe('the last answer of a probe', () => {
  it.each<[string, { type: string; answer: string } | undefined]>([
    [
      'Readiness probe failed: HTTP probe failed with statuscode: 503',
      { type: 'Readiness', answer: 'HTTP probe failed with statuscode: 503' },
    ],
    ['Startup probe errored and resulted in unknown state: rpc error', { type: 'Startup', answer: 'rpc error' }],
    ['Back-off restarting', undefined],
  ])('of "%s"', (message, answer) => {
    expect(lastProbe([pod({})], [warning('Unhealthy', message)])).toEqual(answer);
  });

  it('is short: the rest is evidence', () => {
    const long = lastProbe([pod({})], [warning('Unhealthy', `Liveness probe failed: ${'x'.repeat(500)}`)]);
    expect(long?.answer.length).toBeLessThan(130);
  });
});

describe('why no pod is made', () => {
  const deployment: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'n' },
  };
  it.each<[string, string]>([
    [
      'pods "p" is forbidden: exceeded quota: full, requested: pods=1, used: pods=9, limited: pods=9',
      'the namespace’s quota full allows no further pod',
    ],
    [
      'pods "p" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
      'Pod Security refuses its pods: the level is restricted',
    ],
    [
      'pods "p" is forbidden: error looking up service account n/api: serviceaccount "api" not found',
      'its ServiceAccount api is not there',
    ],
    ['pods "p" is forbidden: no PriorityClass with name high was found', 'its PriorityClass high is not there'],
    [
      'pods "p" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
      'the namespace’s LimitRange refuses its pods',
    ],
    [
      'Internal error occurred: failed calling webhook "w.example": connection refused',
      'the admission webhook w.example does not answer',
    ],
    [
      'admission webhook "policy.sigstore.dev" denied the request: validation failed: no matching signatures',
      'the admission webhook policy.sigstore.dev refuses its image for its signature',
    ],
    ['admission webhook "w.example" denied the request: no', 'the admission webhook w.example refuses its pods'],
    [
      'pods "p" is forbidden: image policy webhook backend denied one or more images: bad',
      'the cluster’s image policy refuses its image',
    ],
    [
      "pods \"p\" is forbidden: ValidatingAdmissionPolicy 'no-more' with binding 'b' denied request: by order",
      'the admission policy no-more refuses its pods',
    ],
    ['pods "p" is forbidden: whatever', 'the cluster’s admission refuses its pods'],
  ])('is read of "%s"', (refused, cause) => {
    expect(refusalCause(deployment, refused).cause).toBe(cause);
  });
});

describe('why no node takes a pod', () => {
  it.each<[string, string, string]>([
    [
      'Unschedulable',
      '0/2 nodes are available: 1 Insufficient memory, 1 node(s) were unschedulable. preemption: 0/2 nodes are available: 2 No preemption victims found.',
      'no node takes its pod: Insufficient memory, were unschedulable',
    ],
    [
      'Unschedulable',
      '0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: not helpful',
      'no node takes its pod: had untolerated taint(s)',
    ],
    [
      'Unschedulable',
      '0/1 nodes are available: persistentvolumeclaim "data" not found.',
      'no node takes its pod: claim data is not there',
    ],
    [
      'SchedulingGated',
      'Scheduling is blocked due to non-empty scheduling gates',
      'no node takes its pod: something holds it back by a scheduling gate',
    ],
    ['Unschedulable', '', 'no node takes its pod'],
  ])('is read of %s "%s"', (reason, message, cause) => {
    const one = pod({ conditions: [{ type: 'PodScheduled', status: 'False', reason, message }] });
    expect(unscheduledCause(one).cause).toBe(cause);
  });
});
