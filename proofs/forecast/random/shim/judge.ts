import { gatewayAsIngress } from '../../../../shared/certificates/gateway-shim.js';
import { durationNanoseconds } from '../../../../shared/certificates/go-text.js';
import { type ShimIntent, shimCertificates } from '../../../../shared/certificates/ingress-shim.js';
import { messageOf } from '../../../../shared/errors.js';
import { isRecord } from '../../../../shared/json.js';
import type { Judge, Judgement } from '../contest.js';
import type { ShimQuestion } from './case.js';

/** What cert-manager's own shim does with what asks; the fields are those of lab/shim/main.go. */
export interface ShimAnswer {
  readonly certificates?: readonly object[];
  readonly warnings?: readonly string[];
  readonly failed?: string;
  readonly panicked?: string;
  readonly unreadable?: string;
}

/** Ours. What is compared besides the verdict is every Certificate, whole. */
export const ours: Judge<ShimQuestion> = ({ ingress, listeners, settings }, version) => {
  try {
    const { metadata } = ingress;
    const asking =
      listeners === undefined ? ingress : gatewayAsIngress({ metadata, spec: { listeners } }, version.text);
    return judgementOf(shimCertificates(asking, { ...settings, gateways: true, certManagerVersion: version.text }));
  } catch (error) {
    return { verdict: 'threw', reason: '', message: (error as Error).stack ?? messageOf(error), more: '' };
  }
};

/** cert-manager's side. */
export function theirs({ certificates = [], warnings = [], failed, panicked, unreadable }: ShimAnswer): Judgement {
  const died = panicked ?? unreadable;
  if (died !== undefined) {
    return { verdict: panicked === undefined ? 'unreadable' : 'crash', reason: '', message: died, more: '' };
  }
  // Why a listener is passed over is not claimed: only that it is.
  const told = warnings.filter((one) => !one.startsWith('Skipped a listener block'));
  return judgementOf({ certificates, problems: [...told, ...(failed === undefined ? [] : [failed])] });
}

/** The case as lab/shim/main.go reads it: settings by the names of cert-manager's fields, with what its program sets by itself. */
export function asked({ ingress, listeners, settings }: ShimQuestion): object {
  const gateway = { metadata: ingress.metadata, spec: { gatewayClassName: 'x', listeners } };
  return {
    ...(listeners === undefined ? { ingress } : { gateway }),
    settings: {
      DefaultIssuerName: settings.defaultIssuerName ?? '',
      DefaultIssuerKind: settings.defaultIssuerKind ?? 'Issuer',
      DefaultIssuerGroup: settings.defaultIssuerGroup ?? 'cert-manager.io',
      DefaultAutoCertificateAnnotations: settings.autoCertificateAnnotations ?? ['kubernetes.io/tls-acme'],
      ExtraCertificateAnnotations: settings.extraCertificateAnnotations ?? [],
    },
  };
}

function judgementOf({
  certificates,
  problems,
}: {
  certificates: readonly object[];
  problems: ShimIntent['problems'];
}): Judgement {
  const message = problems.join('\n');
  const texts = certificates.map((one) => JSON.stringify(plain(one))).sort();
  const verdict = texts.length > 0 ? 'asks' : problems.length > 0 ? 'refuses' : 'nothing';
  return { verdict, reason: reasonOf(message), message, more: `[${texts.join()}]` };
}

/** What is wrong with the Ingress, in a word. */
function reasonOf(message: string): string {
  const [, annotation] = /invalid ingress annotation "cert-manager\.io\/([^"]+)"/.exec(message) ?? [];
  if (annotation !== undefined) return annotation;
  if (message.startsWith('Could not determine issuer')) return 'issuer';
  if (message.startsWith('Skipped a TLS block')) return 'block';
  return message === '' ? '' : 'duplicates';
}

/** Sorted, and without what is as good as absent: ours leaves out what is not there, and Go's text has some of it empty. */
function plain(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => plain(one));
  if (typeof value === 'string' && (name === 'duration' || name === 'renewBefore')) {
    return durationNanoseconds(value)?.toString() ?? value;
  }
  if (!isRecord(value)) return value;
  const fields = Object.entries(value).map(([field, one]) => [field, plain(one, field)] as const);
  const isMap = name === 'labels' || name === 'annotations';
  return Object.fromEntries(
    fields.filter(([field, one]) => isMap || !isAbsent(field, one)).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function isAbsent(field: string, value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  // The one number that Go leaves out where it is nothing.
  if (field === 'size') return value === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** What differs: of a Certificate the first field. */
export function difference(own: Judgement, real: Judgement): string | undefined {
  if (own.verdict !== real.verdict) return 'verdict';
  if (own.reason !== real.reason) return 'reason';
  if (own.more !== real.more) return pathOf(parsed(own), parsed(real)) ?? 'certificates';
  return own.verdict !== 'crash' && claimed(own) !== claimed(real) ? 'message' : undefined;
}

function parsed({ more }: Judgement): unknown {
  return JSON.parse(more) as unknown;
}

function pathOf(own: unknown, real: unknown): string | undefined {
  if (JSON.stringify(own) === JSON.stringify(real)) return undefined;
  if (Array.isArray(own) && Array.isArray(real)) {
    return own.length === real.length
      ? own.map((one, at) => pathOf(one, real[at])).find((one) => one !== undefined)
      : '';
  }
  if (!isRecord(own) || !isRecord(real)) return '';
  const names = [...new Set([...Object.keys(own), ...Object.keys(real)])];
  const [name] = names.filter((one) => JSON.stringify(own[one]) !== JSON.stringify(real[one]));
  return name === undefined ? undefined : `${name} ${pathOf(own[name], real[name]) ?? ''}`.trim();
}

/** What ours promises of a message: all of it, but for what is wrong with an annotation's value in the words of a decoder. */
function claimed({ message }: Judgement): string {
  return message.replace(/(invalid ingress annotation "[^"]+"): .*/s, '$1');
}
