import { at, recordsAt, textAt } from '../../../shared/cluster/fields.js';
import type { KubeObject } from '../../../shared/cluster/objects.js';

/** The server that a path of a host leads to. */
export interface RoutedServer {
  namespace: string;
  name: string;
}

/** Follows the Ingresses as Traefik does; of two for the same path the one that was made first wins. */
export function serverFor(ingresses: readonly KubeObject[], host: string, path: string): RoutedServer | undefined {
  const [found] = ingresses
    .flatMap((ingress) =>
      recordsAt(ingress, 'spec', 'rules')
        .filter((rule) => textAt(rule, 'host') === host)
        .flatMap((rule) => recordsAt(rule, 'http', 'paths'))
        .map((one) => ({
          namespace: ingress.metadata.namespace ?? '',
          name: textAt(at(one, 'backend', 'service'), 'name'),
          prefix: textAt(one, 'path'),
          made: `${ingress.metadata.creationTimestamp} ${ingress.metadata.resourceVersion?.padStart(12, '0')}`,
        })),
    )
    .filter(({ prefix }) => path === prefix || path.startsWith(`${prefix.replace(/\/$/, '')}/`))
    .sort((a, b) => b.prefix.length - a.prefix.length || a.made.localeCompare(b.made));
  return found === undefined ? undefined : { namespace: found.namespace, name: found.name };
}
