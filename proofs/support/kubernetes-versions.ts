import { ownKubernetes } from '../../lab/driver/program.js';
import { lastPatch } from './last-patch.js';

/** The versions of Kubernetes that can be had as Go modules, with all parts: the last such patch of each minor. */
const versions: readonly string[] = [
  ...['1.29.5', '1.30.14', '1.31.14', '1.32.13', '1.33.13', '1.34.4', '1.35.4'],
  ownKubernetes,
  '1.37.2',
];

/** A version in full; a minor stands for its last patch. @param given such as `1.30` or `v1.30.14` */
export const kubernetesVersionOf = (given: string): string => lastPatch(given, versions);
