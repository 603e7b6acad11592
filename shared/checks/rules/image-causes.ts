import type { ContainerTrouble } from '../../cluster/workloads.js';
import type { Cause } from './cause.js';

/** Whether a container waits for its image. */
export function isAboutImage({ reason }: ContainerTrouble): boolean {
  return /ImagePull|ErrImage|InvalidImage|ImageInspect|RegistryUnavailable|SignatureValidation/.test(reason);
}

const pullRemedy = 'push the image, or correct its name; when the registry does not answer, see the findings about it';

export const otherProcessor = {
  code: 'image-architecture',
  cause: 'the image was built for another processor than the node’s',
  remedy: 'set MCP_IMAGE_PLATFORM to the nodes’ platform (such as linux/amd64), and build again',
} as const satisfies Omit<Cause, 'evidence'>;

/** What keeps an image from a node, by the words of kubelet and containerd; the first that fits. */
const causes: readonly (readonly [RegExp, Omit<Cause, 'evidence'>])[] = [
  [/no match for platform|no matching manifest/, otherProcessor],
  [
    /doesn't contain any IP SANs/,
    {
      code: 'registry-endpoint-address',
      cause: 'the image is pulled from an address, and the registry’s certificate is for its name',
      remedy: 'set MCP_REGISTRY_ENDPOINT to the public registry host, and run setup',
    },
  ],
  [
    /certificate has expired/,
    {
      code: 'image-pull',
      cause: 'the registry’s certificate has expired',
      remedy: 'see the findings about its Certificate; `kubectl describe certificate -n registry`',
    },
  ],
  [
    /x509|tls: failed to verify/,
    {
      code: 'image-pull',
      cause: 'the node does not trust the registry’s certificate',
      remedy:
        'give the nodes its CA (`/etc/rancher/k3s/registries.yaml`), or the registry a certificate that they trust',
    },
  ],
  [
    /HTTP response to HTTPS client/,
    {
      code: 'image-pull',
      cause: 'the registry speaks plain HTTP where the node asks for HTTPS',
      remedy: 'set MCP_REGISTRY_ENDPOINT to the public registry host, and run setup',
    },
  ],
  [
    /SignatureValidation|signature (?:is|was|validation|verif)|no (?:valid |matching )?signature|image rejected by policy/i,
    {
      code: 'image-pull',
      cause: 'the node refuses the image for its signature',
      remedy: 'sign the image as the nodes’ policy wants it, or correct that policy',
    },
  ],
  [
    /no basic auth credentials|401 Unauthorized|unauthorized|authorization failed|403 Forbidden/i,
    {
      code: 'pull-secret-stale',
      cause: 'the registry refuses the credentials that the node pulls with',
      remedy: 'run setup, which makes the pull Secrets again from the present key',
    },
  ],
  [
    /429|too ?many ?requests/i,
    {
      code: 'image-pull',
      cause: 'the registry turns the node away: too many requests',
      remedy: 'wait, or pull with an account of that registry; then run it again',
    },
  ],
  [
    /no space left on device/,
    {
      code: 'image-pull',
      cause: 'the node’s disk is full',
      remedy: 'free some on the node: `crictl rmi --prune`; then run it again',
    },
  ],
  [
    /InvalidImageName|invalid reference format/,
    {
      code: 'image-pull',
      cause: 'what it has for an image is no name of one',
      remedy: 'correct `images` or `targets`',
    },
  ],
  [
    /ErrImageNeverPull/,
    {
      code: 'image-pull',
      cause: 'the image is not on the node, and imagePullPolicy is Never',
      remedy: 'set imagePullPolicy to IfNotPresent',
    },
  ],
  [/not found|manifest unknown/, { code: 'image-pull', cause: 'the image is not in the registry', remedy: pullRemedy }],
  [
    /no such host|server misbehaving/,
    {
      code: 'image-pull',
      cause: 'the node does not find the registry’s name in its DNS',
      remedy: 'correct the DNS name, or the node’s resolver (`/etc/resolv.conf`)',
    },
  ],
  [
    /connection refused|timeout|deadline exceeded|connection reset|no route to host|EOF/i,
    { code: 'image-pull', cause: 'the registry does not answer the node', remedy: pullRemedy },
  ],
];

/** Why a node does not get an image. @param events the warnings about the pod */
export function imageCause({ image, reason, message }: ContainerTrouble, events: readonly string[]): Cause {
  const text = [message, ...events].join(' | ');
  const found = causes.find(([pattern]) => pattern.test(`${reason} ${text}`))?.[1];
  return {
    ...(found ?? { code: 'image-pull', cause: 'the node cannot pull the image', remedy: pullRemedy }),
    evidence: [`${image}: ${reason}: ${text}`],
  };
}
