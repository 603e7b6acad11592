import type { Grant, Policy, Session, Tool } from './policy.js';

/** Who calls, as the governance headers say. */
export interface Identity {
  humanId: string;
  agentId: string;
  teamId: string;
  session: string;
}

/** What the gateway makes of a call. */
export interface Decision {
  allowed: boolean;
  status: number;
  reason: string;
  grant?: Grant;
  session?: Session;
  tool?: Tool;
  requiredTrust?: string;
  effectiveTrust?: string;
}

const levels = ['low', 'medium', 'high'];
const rank = (trust: string): number => levels.indexOf(trust);

/** Judges a tool's call in the gateway's order: who, with which session, by which grant, for which tool, how trusted. */
export function evaluate(policy: Policy, identity: Identity, toolName: string, now = Date.now()): Decision {
  const { humanId, agentId, teamId } = identity;
  if (policy.policy.mode === 'observe') return allow({});
  if (humanId === '' && agentId === '' && teamId === '') return deny(401, 'missing_identity');
  if (policy.session.required && identity.session === '') return deny(401, 'missing_session');
  let session: Session | undefined;
  if (identity.session !== '') {
    session = policy.sessions.find(({ name, subject }) => name === identity.session && fits(subject, identity));
    if (session === undefined) return deny(401, 'session_not_found');
    if (session.revoked) return deny(401, 'session_revoked', { session });
    if (session.expires_at !== '' && Date.parse(session.expires_at) <= now) {
      return deny(401, 'session_expired', { session });
    }
  }
  const tool = policy.tools.find(({ name }) => name === toolName);
  const about = { ...(session ? { session } : {}), ...(tool ? { tool } : {}) };
  const isLenient = policy.policy.default_decision === 'allow';
  const matching = policy.grants.filter(({ subject }) => fits(subject, identity));
  if (matching.length === 0) return isLenient ? allow(about) : deny(403, 'no_matching_grant', about);
  const enabled = matching.filter(({ disabled }) => !disabled);
  const denying = enabled.find((grant) => ruleOf(grant, toolName)?.decision === 'deny');
  if (denying !== undefined) return deny(403, 'tool_denied', { ...about, grant: denying });
  const granting = enabled.filter((grant) => grant.tool_rules.length === 0 || ruleOf(grant, toolName) !== undefined);
  const [first] = granting;
  if (first === undefined) return isLenient ? allow(about) : deny(403, 'tool_not_granted', about);
  if (tool === undefined) return deny(403, 'tool_side_effect_unknown', { ...about, grant: first });
  const withEffect = granting.filter(({ allowed_side_effects }) => allowed_side_effects.includes(tool.side_effect));
  const [grant] = withEffect;
  if (grant === undefined) return deny(403, 'side_effect_not_allowed', { ...about, grant: first });
  const trusts = withEffect.filter(({ max_trust }) => rank(max_trust) >= 0);
  if (trusts.length === 0) return isLenient ? allow(about) : deny(403, 'grant_without_trust', { ...about, grant });
  const judged = trusts.map((one) => {
    const rule = ruleOf(one, toolName);
    const required = Math.max(rank(tool.required_trust || 'low'), rank(rule?.required_trust ?? ''));
    const effective = Math.min(rank(one.max_trust), session ? rank(session.consented_trust) : rank('high'));
    const told = { requiredTrust: levels[required] ?? '', effectiveTrust: levels[effective] ?? '' };
    return { ...about, grant: one, ...told, isEnough: effective >= required };
  });
  const enough = judged.find(({ isEnough }) => isEnough);
  const { isEnough: _, ...told } = enough ?? judged[0] ?? { isEnough: false };
  return enough === undefined ? deny(403, 'trust_too_low', told) : allow(told);
}

/** Every field of the subject that is not empty must be the caller's. */
function fits(subject: Grant['subject'], { humanId, agentId, teamId }: Identity): boolean {
  const same = (wanted: string, given: string): boolean => wanted === '' || wanted === given;
  return same(subject.human_id, humanId) && same(subject.agent_id, agentId) && same(subject.team_id, teamId);
}

function ruleOf(grant: Grant, tool: string): Grant['tool_rules'][number] | undefined {
  return grant.tool_rules.find(({ name }) => name === tool);
}

function allow(about: Partial<Decision>): Decision {
  return { ...about, allowed: true, status: 200, reason: 'allowed' };
}

function deny(status: number, reason: string, about: Partial<Decision> = {}): Decision {
  return { ...about, allowed: false, status, reason };
}
