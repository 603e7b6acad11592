import type { ErrorCode } from '../errors.js';

/** What a refusal of the API server means, and what to do about it. */
export interface Refusal {
  code: ErrorCode;
  next: string;
}

interface Known {
  statuses: readonly number[];
  words: RegExp;
  /** @param name what the words name: a quota, a webhook */
  refusal: (name: string) => Refusal;
}

const any: readonly number[] = [];
/** By the words of Kubernetes' own server: its status alone would ask for a permission that is there. */
const known: readonly Known[] = [
  {
    statuses: [403],
    words: /because it is being terminated/,
    refusal: () => ({
      code: 'namespace-terminating',
      next: 'run the operation again when `kubectl get namespaces` does not show it any more',
    }),
  },
  {
    statuses: any,
    words: /admission webhook "([^"]{1,253})" denied the request/,
    refusal: (name) => ({
      code: 'cluster-webhook-refused',
      next: `do what the message of the webhook ${name} asks for, or except the namespace from it: \`kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations\` shows whose it is`,
    }),
  },
  {
    statuses: any,
    words: /failed calling webhook "([^"]{1,253})"/,
    refusal: (name) => ({
      code: 'cluster-webhook-away',
      next: `bring back the service behind the webhook ${name}, which must answer before such objects are taken: \`kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations\` shows whose it is; then run the operation again`,
    }),
  },
  {
    statuses: [403],
    words: /(?:exceeded|failed) quota: ([^,:\s]{1,253})/,
    refusal: (name) => ({
      code: 'cluster-quota',
      next: `raise the ResourceQuota ${name} in that namespace (\`kubectl describe quota -A\`), or delete what is not needed there; then run the operation again: it continues from what is there`,
    }),
  },
  { statuses: [403], words: /User "system:anonymous"/, refusal: () => anonymous },
];

/** Who asks is nobody: the API server saw neither a token nor a client certificate. */
export const anonymous: Refusal = {
  code: 'cluster-anonymous',
  next: 'store the kubeconfig again with its credentials (`kubectl config view --raw --flatten --minify`); where it has a client certificate, nothing on the way may end TLS: use the node’s own address, or a token',
};

/** What the words of a refusal mean, where they are known; otherwise its status says it. */
export function refusalIn(status: number, detail: string): Refusal | undefined {
  for (const { statuses, words, refusal } of known) {
    if (statuses.length > 0 && !statuses.includes(status)) continue;
    const found = words.exec(detail);
    if (found !== null) return refusal(found[1] ?? '');
  }
  return undefined;
}
