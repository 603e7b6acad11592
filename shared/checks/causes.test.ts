import { describe, expect, it } from '@jest/globals';
import { type FindingCode, findingCodes } from './catalog.js';
import { consequencesOfFirst, knownEffects } from './causes.js';
import { type Finding, finding } from './finding.js';

const error = (code: FindingCode): Finding => finding(code, { subject: 'x', cause: 'y', evidence: [], remedy: 'z' });
const following = (...codes: FindingCode[]) => consequencesOfFirst(codes.map(error)).map(({ code }) => code);

describe('what the first finding brings about', () => {
  it('is only what is known to follow from it', () => {
    expect(following('kube-system-wiped', 'dns-missing', 'registry-auth-open')).toEqual([]);
    expect(following('kube-system-wiped', 'coredns-down', 'dns-missing')).toEqual(['coredns-down']);
    expect(following('dns-missing')).toEqual([]);
    expect(following()).toEqual([]);
  });

  it('is what follows from its consequences too', () => {
    expect(following('kube-system-wiped', 'port-80-closed', 'certificate-not-ready')).toEqual([
      'port-80-closed',
      'certificate-not-ready',
    ]);
  });

  it('is nothing that another finding explains as well', () => {
    expect(following('port-80-foreign', 'issuer-missing', 'certificate-not-ready')).toEqual([]);
    expect(following('port-80-foreign', 'issuer-missing', 'challenge-wrong-answer')).toEqual([
      'challenge-wrong-answer',
    ]);
  });

  it('is no warning', () => {
    const warning: Finding = { ...error('traefik-down'), severity: 'warning' };
    expect(consequencesOfFirst([error('kube-system-wiped'), warning])).toEqual([]);
    expect(consequencesOfFirst([warning, error('port-80-closed')])).toEqual([]);
  });

  it.each(knownEffects)('%s is told before %s', (cause, effect) => {
    expect(findingCodes.indexOf(cause)).toBeLessThan(findingCodes.indexOf(effect));
  });
});
