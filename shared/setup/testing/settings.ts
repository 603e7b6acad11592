import type { InstallerSettings } from '../invocation.js';

/** Of whoever leaves everything to the profile and the defaults. */
export const usualSettings: InstallerSettings = {
  acmeEmail: '',
  issuer: 'letsencrypt-prod',
  registryMode: '',
  ingress: '',
  certificateTimeout: '',
  rolloutTimeout: '',
  further: [],
};
