import * as z from 'zod';
import { isNotFound, objectOf } from '../../../shared/cluster/cluster.js';
import { at, textAt } from '../../../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { type Answer, ok, refuse } from './answer.js';
import type { ApiContext } from './context.js';
import { bodyOf, type Exchange, jsonOf, type Route, route } from './exchange.js';
import { ownsNamespace, type Principal, seesNamespace } from './principal.js';
import { written } from './server-routes.js';

const serverRef = z.object({ name: z.string().default(''), namespace: z.string().default('') });
const subject = z.object({
  humanID: z.string().optional(),
  agentID: z.string().optional(),
  teamID: z.string().optional(),
});
const common = z.object({
  name: z.string().default(''),
  namespace: z.string().default(''),
  serverRef: serverRef.default({ name: '', namespace: '' }),
  subject: subject.default({}),
  policyVersion: z.string().optional(),
});
const grantBody = common.extend({
  maxTrust: z.string().default(''),
  allowedSideEffects: z.array(z.string()).default([]),
  disabled: z.boolean().default(false),
  toolRules: z
    .array(z.object({ name: z.string(), decision: z.string().optional(), requiredTrust: z.string().optional() }))
    .optional(),
});
const sessionBody = common.extend({
  consentedTrust: z.string().default('low'),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
  revoked: z.boolean().default(false),
});
const levels = ['low', 'medium', 'high'];

/** What differs between grants and sessions. */
interface Access {
  word: 'grant' | 'session';
  kind: Kind;
  /** The field that is switched, and the words that switch it. */
  field: 'disabled' | 'revoked';
  on: string;
  off: string;
}

const grants: Access = { word: 'grant', kind: kinds.mcpAccessGrant, field: 'disabled', on: 'disable', off: 'enable' };
const sessions: Access = {
  word: 'session',
  kind: kinds.mcpAgentSession,
  field: 'revoked',
  on: 'revoke',
  off: 'unrevoke',
};

/** Grants and sessions of servers. */
export function accessRoutes(context: ApiContext): Route[] {
  return [
    ...routesOf(context, grants, (exchange) => putGrant(context, exchange)),
    ...routesOf(context, sessions, (exchange) => putSession(context, exchange)),
  ];
}

function routesOf(context: ApiContext, access: Access, put: (exchange: Exchange) => Promise<Answer>): Route[] {
  const { cluster } = context;
  const { word, kind, field, on, off } = access;
  const service = 'runtime' as const;
  const set = async (
    caller: Principal | undefined,
    namespace: string,
    name: string,
    value: boolean,
  ): Promise<Answer> => {
    checkOwner(caller, namespace);
    try {
      await cluster.patch(kind, { namespace, name }, [{ op: 'add', path: `/spec/${field}`, value }]);
    } catch (error) {
      if (isNotFound(error)) throw refuse(404, missing(kind, name));
      throw refuse(500, `failed to update ${word}`);
    }
    return ok(
      field === 'disabled'
        ? { disabled: value, name, namespace, success: true }
        : { name, namespace, revoked: value, success: true },
    );
  };
  const item = `/runtime/${word}s/([^/]+)/([^/]+)`;
  return [
    route(service, new RegExp(`^/runtime/${word}s$`), {
      async GET({ caller, query }) {
        const namespace = query.get('namespace') ?? '';
        if (caller === undefined || (namespace !== '' && !seesNamespace(caller, namespace))) {
          throw refuse(403, 'forbidden namespace');
        }
        const { items } = await cluster.list(kind, namespace === '' ? {} : { namespace });
        const own = items.filter(({ metadata }) => ownsNamespace(caller, metadata.namespace ?? ''));
        return ok({ [`${word}s`]: own.map((one) => itemOf(access, one)) });
      },
      POST: put,
    }),
    route(service, new RegExp(`^${item}$`), {
      async GET({ caller }, namespace = '', name = '') {
        checkOwner(caller, namespace);
        const found = await cluster.get<KubeObject>(kind, { namespace, name });
        if (found === undefined) throw refuse(404, missing(kind, name));
        return ok({ [word]: itemOf(access, found) });
      },
      async PATCH({ caller, body }, namespace = '', name = '') {
        const value = at(jsonOf(body), field);
        if (typeof value !== 'boolean') throw refuse(400, `${field} is required`);
        return set(caller, namespace, name, value);
      },
      async DELETE({ caller }, namespace = '', name = '') {
        checkOwner(caller, namespace);
        if (!(await cluster.delete(kind, { namespace, name }))) {
          throw refuse(404, `failed to delete ${word}: ${missing(kind, name)}`);
        }
        return ok({ name, namespace, success: true });
      },
    }),
    route(service, new RegExp(`^${item}/(${on}|${off})$`), {
      POST: ({ caller }, namespace = '', name = '', verb = '') => set(caller, namespace, name, verb === on),
    }),
  ];
}

async function putGrant(context: ApiContext, exchange: Exchange): Promise<Answer> {
  const { name, namespace, ...spec } = bodyOf(exchange, grantBody);
  const { caller } = exchange;
  if (name === '') throw refuse(400, 'name is required');
  if (caller === undefined || !seesNamespace(caller, namespace)) throw refuse(403, 'forbidden namespace');
  if (spec.allowedSideEffects.length === 0) throw refuse(400, 'at least one allowed side effect is required');
  if (!levels.includes(spec.maxTrust)) throw refuse(400, 'maxTrust must be low, medium, or high');
  return put(context, grants, caller, { name, namespace }, spec);
}

async function putSession(context: ApiContext, exchange: Exchange): Promise<Answer> {
  const { caller } = exchange;
  if (caller?.role !== 'admin') throw refuse(403, 'admin role required');
  const { name, namespace, ...spec } = bodyOf(exchange, sessionBody);
  if (name === '') throw refuse(400, 'name is required');
  return put(context, sessions, caller, { name, namespace }, spec);
}

async function put(
  { cluster }: ApiContext,
  access: Access,
  caller: Principal,
  ref: { name: string; namespace: string },
  spec: Pick<z.infer<typeof common>, 'serverRef' | 'subject'>,
): Promise<Answer> {
  const given = Object.fromEntries(
    Object.entries(spec.subject).filter(([, value]) => value !== undefined && value !== ''),
  );
  if (Object.keys(given).length === 0) {
    throw refuse(400, 'one of subject.humanID, subject.agentID, or subject.teamID is required');
  }
  const server = {
    name: spec.serverRef.name,
    namespace: spec.serverRef.namespace || ref.namespace,
  };
  const found = await cluster.get<KubeObject>(kinds.mcpServer, server);
  if (found === undefined) {
    throw refuse(400, `unknown serverRef: MCPServer "${server.name}" not found in namespace "${server.namespace}"`);
  }
  checkOwner(caller, server.namespace);
  const team = textAt(found, 'spec', 'teamID');
  const content = { ...spec, serverRef: server, subject: { ...(team === '' ? {} : { teamID: team }), ...given } };
  const object = objectOf(access.kind, { metadata: ref, spec: content });
  const made = await written(`failed to apply ${access.word}: `, () =>
    cluster.apply<KubeObject>(access.kind, object, { force: true, manager: 'mcp-runtime-api' }),
  );
  return ok({ [access.word]: itemOf(access, made) });
}

/** @throws Refusal of who may not administer the servers of a namespace */
export function checkOwner(caller: Principal | undefined, namespace: string): void {
  if (caller === undefined || !seesNamespace(caller, namespace)) throw refuse(403, 'forbidden namespace');
  if (!ownsNamespace(caller, namespace)) throw refuse(403, 'forbidden server');
}

function missing(kind: Kind, name: string): string {
  return `${kind.plural}.${kind.group} "${name}" not found`;
}

function itemOf({ word }: Access, { metadata, spec }: KubeObject): Record<string, unknown> {
  const common = {
    name: metadata.name,
    namespace: metadata.namespace,
    serverRef: at(spec, 'serverRef'),
    subject: at(spec, 'subject'),
  };
  const expiresAt = textAt(spec, 'expiresAt');
  const own =
    word === 'grant'
      ? {
          maxTrust: at(spec, 'maxTrust'),
          allowedSideEffects: at(spec, 'allowedSideEffects'),
          disabled: at(spec, 'disabled') === true,
        }
      : {
          consentedTrust: at(spec, 'consentedTrust'),
          revoked: at(spec, 'revoked') === true,
          ...(expiresAt === '' ? {} : { expiresAt }),
        };
  return { ...common, ...own, age: metadata.creationTimestamp };
}
