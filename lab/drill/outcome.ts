/**
 * What became of one Certificate. `ordered`: cert-manager issued it anew from an ACME server; `reissued`: from another
 * issuer, where it costs nothing but changes the certificate. `not-owner`: another Certificate owns its Secret, as in the
 * cluster that was backed up. `not-ready`: nothing is issued, and it is not Ready either.
 */
export type Outcome = 'kept' | 'ordered' | 'reissued' | 'not-owner' | 'not-ready';
