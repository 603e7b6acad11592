import { type Failure, labelled } from './support.js';

/** As long as a rollout waits for what might still pass, where only its words are of interest. */
const short = { 'rollout-timeout': '5s' };

const task =
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ';

function pull(name: string, error: string, says: RegExp, finding = 'image-pull'): Failure {
  return { name, finding, says, run: labelled({ 'pull-error': error }, short) };
}

const resolve = 'failed to pull and unpack image "r/api": failed to resolve reference "r/api": failed to do request: ';
const url = 'Head "https://registry.example.com/v2/api/manifests/v2": ';

/** What an image does, and what a node says of it. */
export const imageFailures: readonly Failure[] = [
  {
    name: 'program that the image does not have',
    finding: 'pod-config',
    says: /cannot be started: its image has no \/server/,
    quick: true,
    run: labelled({
      waits: `RunContainerError: ${task}exec: "/server": stat /server: no such file or directory`,
    }),
  },
  {
    name: 'program that may not be executed',
    finding: 'pod-config',
    says: /\/server may not be executed/,
    run: labelled({ waits: `RunContainerError: ${task}exec: "/server": permission denied` }),
  },
  {
    name: 'program for another processor',
    finding: 'image-architecture',
    says: /built for another processor/,
    run: labelled({ exit: '255', log: 'exec /server: exec format error' }),
  },
  {
    name: 'image that would run as root',
    finding: 'pod-config',
    says: /its image would run as root/,
    run: labelled(
      {
        waits:
          'CreateContainerConfigError: container has runAsNonRoot and image will run as root (pod: "p", container: c)',
      },
      short,
    ),
  },
  {
    name: 'node that cannot make the container',
    finding: 'pod-config',
    says: /its container cannot be started/,
    run: labelled({ waits: 'CreateContainerError: failed to generate container spec: failed to stat "/data"' }, short),
  },
  {
    name: 'hook after the start that fails',
    finding: 'pod-config',
    says: /its hook fails/,
    run: labelled({ waits: "PostStartHookError: command '/warm-up' exited with 1" }, short),
  },
  {
    name: 'program that ends without an error',
    finding: 'pod-crash-loop',
    says: /its container ends, with exit code 0/,
    run: labelled({ exit: '0' }),
  },
  {
    name: 'liveness probe that fails',
    finding: 'pod-crash-loop',
    says: /killed as its liveness probe fails: HTTP probe failed with statuscode: 500/,
    run: labelled({ liveness: 'HTTP probe failed with statuscode: 500' }),
  },
  {
    name: 'startup probe that fails',
    finding: 'pod-crash-loop',
    says: /killed as its startup probe fails: .*connection refused/,
    run: labelled({
      startup: 'Get "http://10.42.0.2:8084/health": dial tcp 10.42.0.2:8084: connect: connection refused',
    }),
  },
  {
    name: 'readiness probe that nobody answers',
    finding: 'probe-failing',
    says: /its readiness probe fails: .*connection refused/,
    run: labelled(
      {
        ready: 'never',
        probe: 'Get "http://10.42.0.2:8084/ready": dial tcp 10.42.0.2:8084: connect: connection refused',
      },
      short,
    ),
  },
  {
    name: 'pods that answer 404',
    finding: 'endpoint-failing',
    says: /was healthy before the rollout, and is not any more/,
    run: labelled({ 'http-status': '404' }),
  },
  {
    name: 'node that runs another image of that name',
    finding: 'image-other',
    says: /its pods run another image than the one that was rolled out/,
    run: labelled({ digest: `sha256:${'9'.repeat(64)}` }),
  },
  pull(
    'signature that the node refuses',
    'SignatureValidationFailed: Source image rejected: A signature was required, but no signature exists',
    /refuses the image for its signature/,
  ),
  pull(
    'registry whose CA the node does not know',
    `${resolve}${url}tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    /does not trust the registry’s certificate/,
  ),
  pull(
    'registry whose certificate has expired',
    `${resolve}${url}tls: failed to verify certificate: x509: certificate has expired or is not yet valid`,
    /the registry’s certificate has expired/,
  ),
  pull(
    'registry by its address',
    `${resolve}${url}x509: cannot validate certificate for 10.43.0.1 because it doesn't contain any IP SANs`,
    /pulled from an address/,
    'registry-endpoint-address',
  ),
  pull(
    'registry that counts',
    `${resolve}unexpected status from HEAD request to https://registry.example.com: 429 Too Many Requests`,
    /too many requests/,
  ),
  pull(
    'registry that speaks plain HTTP',
    `${resolve}${url}http: server gave HTTP response to HTTPS client`,
    /speaks plain HTTP/,
  ),
  pull(
    'registry whose name the node does not find',
    `${resolve}${url}dial tcp: lookup registry.example.com on 10.0.0.2:53: no such host`,
    /does not find the registry’s name/,
  ),
  pull(
    'disk of the node that is full',
    'failed to pull and unpack image "r/api": failed to copy: write /var/lib/rancher/k3s/agent/containerd/x: no space left on device',
    /the node’s disk is full/,
  ),
];
