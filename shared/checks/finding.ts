import type { PlatformFacts } from '../facts/observe-platform.js';
import type { Severity } from '../profile/finding.js';
import { type FindingCode, findingCodes } from './catalog.js';

/** How sure a rule is of its cause: `certain` has seen it, `likely` concludes it, `possible` names it among others. */
export type Confidence = 'certain' | 'likely' | 'possible';

/**
 * Something about a cluster that its operator should know: what it is about, why it is so, how that was seen, and what
 * to do. It holds no value of a Secret.
 */
export interface Finding {
  code: FindingCode;
  severity: Severity;
  /** The object or name that it is about: `Deployment kube-system/traefik`, `registry.example.com`. */
  subject: string;
  /** The cause in one sentence. */
  cause: string;
  /** The very lines, conditions or events that it was seen by. */
  evidence: string[];
  /** What to do, with the command where there is one. */
  remedy: string;
  confidence: Confidence;
}

const severities: readonly Severity[] = ['error', 'warning', 'notice'];
const confidences: readonly Confidence[] = ['certain', 'likely', 'possible'];

/**
 * Findings with the likeliest root cause first: by severity, what is merely possible last, then in the catalog's order
 * of causes.
 */
export function ordered(findings: readonly Finding[]): Finding[] {
  const weight = ({ severity, code, confidence }: Finding): number[] => [
    severities.indexOf(severity),
    confidence === 'possible' ? 1 : 0,
    findingCodes.indexOf(code),
    confidences.indexOf(confidence),
  ];
  return [...findings].sort((a, b) => {
    const [first, second] = [weight(a), weight(b)];
    return first.map((value, index) => value - (second[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
  });
}

/** Findings of the same cause become one: two names of one Certificate fail together, one missing image stops eight Deployments. */
export function merged(findings: readonly Finding[]): Finding[] {
  const byCause = new Map<string, Finding>();
  for (const one of findings) {
    const key = `${one.code} ${one.cause}`;
    const first = byCause.get(key);
    byCause.set(
      key,
      first === undefined
        ? one
        : {
            ...first,
            subject: [...new Set([...first.subject.split(', '), ...one.subject.split(', ')])].join(', '),
            evidence: [...new Set([...first.evidence, ...one.evidence])],
          },
    );
  }
  return [...byCause.values()];
}

/** Those that stand in the way of going on. */
export function blocking(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ severity }) => severity === 'error');
}

/** A rule: what it sees wrong in what was observed. Rules know nothing of each other. */
export type Rule = (facts: PlatformFacts) => Finding[];

/** A finding: an error that is certain, unless it says otherwise. */
export function finding(
  code: Finding['code'],
  found: Omit<Finding, 'code' | 'severity' | 'confidence'> & Partial<Pick<Finding, 'severity' | 'confidence'>>,
): Finding {
  return { code, severity: 'error', confidence: 'certain', ...found };
}
