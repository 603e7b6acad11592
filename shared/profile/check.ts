import type { Finding, Severity } from './finding.js';
import { formFault } from './forms.js';
import { type Circumstances, checkGuardrails, type Placeless } from './guardrails.js';
import { checkNames } from './names.js';
import type { ParsedProfile } from './parse.js';
import { ruleOf, VARIABLES, type VariableRule } from './reference.js';
import { given, givenName, type Values } from './values.js';

const UNFILLED = /<[^<>]+>/;
// A generated password may well hold a pair of angle brackets, so that a secret is looked at as a whole.
const UNFILLED_SECRET = /^(?:<[^<>]+>|change-?me|replace-?me|YourPassword123!)$/i;
const RESERVED_DOMAIN = /(?:^|[@./])example\.(?:com|net|org)$/i;
const ORDER: readonly Severity[] = ['error', 'warning', 'notice'];

/**
 * Everything that is to say about a parsed profile, in the order of its lines; what has no line comes first. No
 * message holds the value of a secret.
 */
export function checkProfile(parsed: ParsedProfile, circumstances: Circumstances): Finding[] {
  const { values } = circumstances;
  const ofValues = checkValues(values);
  // A value of the wrong form is not looked at twice: what else is said about it would only be a guess.
  const malformed = new Set(ofValues.filter(({ severity }) => severity === 'error').map(({ variable }) => variable));
  const ofGuardrails = checkGuardrails(circumstances).filter(({ variable }) => !malformed.has(variable));
  const placeless = [...checkRequired(parsed, circumstances), ...ofValues, ...checkAliases(values), ...ofGuardrails];
  const placed = placeless.map((finding) => withPlace(finding, parsed, values));
  const findings = [...parsed.findings, ...checkNames(parsed.assignments.values()), ...placed];
  return findings.sort((a, b) => rank(a) - rank(b) || ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

function rank({ line = 0, column = 0 }: Finding): number {
  return line * 1e6 + column;
}

function withPlace(finding: Placeless, { assignments }: ParsedProfile, values: Values): Finding {
  if (finding.variable === undefined) return finding;
  const variable = givenName(values, finding.variable) ?? finding.variable;
  const place = assignments.get(variable);
  return place === undefined ? finding : { ...finding, variable, line: place.line, column: place.column };
}

function checkRequired({ findings }: ParsedProfile, { values, stage }: Circumstances): Placeless[] {
  // A line with a syntax fault was meant to set its variable: one finding about it is enough.
  const isFaulty = ({ name }: VariableRule) => findings.some((each) => each.variable === name);
  const isMissing = (rule: VariableRule) =>
    given(values, rule.name) === undefined &&
    (rule.unless === undefined || given(values, rule.unless) === undefined) &&
    !isFaulty(rule);
  return VARIABLES.filter(isMissing).flatMap((rule): Placeless[] => {
    if (rule.requiredFor?.includes(stage)) return [missing(rule, 'error', `${rule.name} is required for ${stage}.`)];
    if (rule.recommendedFor?.includes(stage))
      return [missing(rule, 'warning', `${rule.name} should be set for ${stage}.`)];
    return [];
  });
}

function missing({ name, purpose }: VariableRule, severity: Severity, message: string): Placeless {
  return {
    code: 'profile-variable-missing',
    severity,
    variable: name,
    message,
    remedy: `Add a line ${name}=… ${purpose}`,
  };
}

function checkValues(values: Values): Placeless[] {
  return [...values].flatMap(([name, value]): Placeless[] => {
    const rule = ruleOf(name);
    if (rule === undefined || value === '') return [];
    const unfilled = rule.kind === 'secret' ? UNFILLED_SECRET : UNFILLED;
    if (unfilled.test(value)) return [placeholder(rule, name, 'error', 'still holds a placeholder of the template')];
    // A certificate authority refuses contacts in the reserved domains, so that one cannot wait.
    if (RESERVED_DOMAIN.test(value))
      return [placeholder(rule, name, name === 'MCP_ACME_EMAIL' ? 'error' : 'warning', reserved)];
    const wanted = formFault(rule.kind, value);
    if (wanted === undefined) return [];
    const message = `The value of ${name} is not ${wanted}.`;
    return [{ code: 'profile-form', severity: 'error', variable: name, message, remedy: rule.purpose }];
  });
}

/** What is sure of such a value; whether somebody has left it in is not. */
const reserved =
  'names a domain that is reserved for examples, and that nobody can have: it may be a placeholder of the template';

function placeholder({ purpose }: VariableRule, variable: string, severity: Severity, what: string): Placeless {
  const message = `${variable} ${what}.`;
  return { code: 'profile-placeholder', severity, variable, message, remedy: `Put in your own value. ${purpose}` };
}

function checkAliases(values: Values): Placeless[] {
  return VARIABLES.flatMap(({ name, aliases = [] }): Placeless[] => {
    const used = givenName(values, name);
    const other = aliases.find(
      (alias) => (values.get(alias) ?? '') !== '' && values.get(alias) !== given(values, name),
    );
    if (used === undefined || other === undefined) return [];
    const message = `${used} and ${other} mean the same and differ; ${used} counts.`;
    return [{ code: 'profile-alias', severity: 'warning', variable: used, message, remedy: `Remove ${other}.` }];
  });
}
