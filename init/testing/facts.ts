import type { Facts } from '../repository-facts.js';

/** A profile that needs nothing. */
export const profile = {
  path: 'config/deployments/mcpruntime-org.env',
  domain: 'example.com',
  isTracked: true,
  hasSecrets: false,
  hasUsual: true,
  placeholders: [],
  errors: [],
  template: undefined,
};
/** A repository with the platform's source, for tests. */
export const facts: Facts = {
  root: '/platform',
  outermost: '/platform',
  host: 'github.com',
  repository: 'acme/platform',
  branch: 'main',
  profile,
  hasPlatform: true,
  hasServer: false,
  cluster: { fingerprint: 'f', bound: [], context: '' },
  kubeconfig: '',
  present: new Map(),
  owners: '',
  notes: [],
};
