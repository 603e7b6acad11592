import type { DrilledCertificate } from './judge.js';
import type { Recovery } from './recovery.js';

/** Version of the drill's result; it changes when a field changes its meaning or goes. */
export const resultSchema = 'mcprt.drill/1';

/** What is wrong in all; the code is an entry of docs/troubleshooting.md. */
export interface DrillFinding {
  code: 'drill-refused' | 'drill-empty' | 'drill-orders' | 'drill-not-ready' | 'drill-forecast';
  what: string;
  why: string;
  next: string;
}

/** What a drill came to: plain data, for scripts as it is. */
export interface DrillResult {
  schema: typeof resultSchema;
  ok: boolean;
  /** The gravest first; none when all is well. */
  findings: DrillFinding[];
  domain: string;
  generation: number;
  name: string;
  fingerprint: string;
  createdAt: string;
  /** In s. */
  age: number;
  /** What the lab's ACME server has counted. */
  orders: number;
  /** Certificates of other issuers that were issued anew. */
  reissued: number;
  /** What the restore foretold. */
  forecast: { orders: number };
  counts: { certificates: number; kept: number; secrets: number; namespaces: number };
  /** In s, from the first look of the restore to the last Certificate that is Ready. The lab's start is not in it. */
  seconds: { restore: number; certManager: number; certificates: number; total: number };
  /** cert-manager's, at the time of the backup and in the lab. */
  versions: { backup: string; lab: string };
  certificates: DrilledCertificate[];
  issuers: Recovery['issuers'];
  /** Objects that were refused, by the restore or by the API server, with the reason. */
  refused: string[];
}
