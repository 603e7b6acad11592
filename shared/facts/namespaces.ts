import { isPlatformNamespace, managedNamespaces } from '../platform/resources.js';
import type { Observation } from './observation.js';

/** Whether what is in a namespace is the platform's: its troubles stop a backup, those of others are told. */
export type IsOurs = (namespace: string) => boolean;

/** The namespaces that are the platform's by their name or its label. */
export function platformsOwn({ namespaces }: Pick<Observation, 'namespaces'>): IsOurs {
  const managed = managedNamespaces(namespaces);
  return (namespace) => isPlatformNamespace(namespace) || managed.has(namespace);
}
