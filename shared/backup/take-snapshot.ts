import { keyOf, nameOf } from '../cluster/objects.js';
import { isAcme } from '../facts/acme.js';
import { unseenGateways } from '../facts/asked-for.js';
import { rulesVersion } from '../facts/cert-manager.js';
import { foreignIssuers } from '../facts/inventory.js';
import { makerOf, type Observation, secretKeyOf } from '../facts/observation.js';
import type { LiveInventory } from '../facts/read-inventory.js';
import { becauseOf, hasRole, type Reference, roles } from '../facts/roles.js';
import { asSecret } from '../facts/secrets.js';
import { managedNamespaces } from '../platform/resources.js';
import { usable } from './decide.js';
import { issuedBefore } from './issued-before.js';
import type { Refusal, RefusalRule } from './refusals.js';
import { covered, forbidden } from './role-rules.js';
import { mergedLedger, type Snapshot, type SnapshotObject } from './snapshot.js';

/** An object, or a part of it, that no restore would write and that no backup holds therefore. */
export interface LeftOut {
  subject: string;
  why: string;
}

/**
 * The content of a backup: what the inventory names, as far as a restore may write it. What is left out is told, each
 * with its reason. Pure: from the same reading comes the same content, so that a wipe can compare.
 *
 * @param accepted what would hurt later, and was told or allowed
 */
export function takeSnapshot(
  seen: Observation,
  live: LiveInventory,
  accepted: readonly Refusal[] = [],
): { snapshot: Snapshot; leftOut: LeftOut[] } {
  const { objects, leftOut } = savedObjects(seen, live);
  const rules = new Map([
    ...foreignLosses(objects, live).map((object): [string, RefusalRule] => [object, 'secret-missing']),
    ...accepted.map(({ rule, object }): [string, RefusalRule] => [object, rule]),
  ]);
  const snapshot = {
    objects,
    certificates: seen.certificates.map((certificate) => ({
      metadata: { name: certificate.metadata.name, namespace: certificate.metadata.namespace ?? '' },
      spec: certificate.spec,
      origin: makerOf(certificate),
      acme: isAcme(certificate, seen),
      ...acceptedAs(
        rules.get(`Certificate ${keyOf(certificate.metadata)}`) ?? rules.get(`Secret ${secretKeyOf(certificate)}`),
      ),
    })),
    ledger: mergedLedger([...(seen.anchor?.ledger ?? []), ...issuedBefore(seen, live.secrets)], seen.now),
  };
  return { snapshot, leftOut };
}

/** Secrets of others' certificates that are there and that no restore writes: told as left out, they stop no backup. */
function foreignLosses(objects: readonly SnapshotObject[], { references, secrets }: LiveInventory): string[] {
  const saved = new Set(objects.map(({ object }) => `${object.kind} ${keyOf(object.metadata)}`));
  return references
    .filter((one) => hasRole(one, 'tls') && secrets.has(keyOf(one)) && !one.referrers.some(({ isOurs }) => isOurs))
    .map((one) => `Secret ${keyOf(one)}`)
    .filter((subject) => !saved.has(subject));
}

function acceptedAs(rule: RefusalRule | undefined): { accepted?: RefusalRule } {
  return rule === undefined ? {} : { accepted: rule };
}

/** What the person who relies on the backup should know of what cannot be found or is only guessed. */
export function doubts(
  seen: Pick<Observation, 'certificates' | 'certManager' | 'gateways'>,
  { references, secrets }: Pick<LiveInventory, 'references' | 'secrets'>,
): string[] {
  const guesses = references.flatMap((reference) => {
    const { guessedBy } = reference;
    const isNamedSecret = guessedBy !== undefined && /secret[^.]*$/i.test(guessedBy);
    return isNamedSecret && !secrets.has(keyOf(reference))
      ? [
          `${becauseOf(reference)}: its webhook’s ${guessedBy?.replace(/^.*config\./, '')} seems to name Secret ${keyOf(reference)}, and there is none: what the webhook reads instead is not in the backup`,
        ]
      : [];
  });
  const programs = foreignIssuers(seen).map(
    (kind) => `issuers of kind ${kind} belong to another program: Secrets that they use are not in the backup`,
  );
  const doubt = seen.certManager.doubt === undefined ? [] : [seen.certManager.doubt];
  return [...doubt, ...unseenGateways(seen), ...guesses, ...programs];
}

function savedObjects(
  seen: Observation,
  { references, secrets, config }: LiveInventory,
): { objects: SnapshotObject[]; leftOut: LeftOut[] } {
  const leftOut: LeftOut[] = [];
  const managed = managedNamespaces(seen.namespaces);
  const keep = (item: SnapshotObject): SnapshotObject[] => {
    const problem = forbidden(item, managed);
    if (problem !== undefined) {
      leftOut.push({ subject: nameOf(item.object), why: problem });
      return [];
    }
    const { object, leftOut: parts } = covered(item);
    if (parts.length > 0) leftOut.push({ subject: nameOf(object), why: `without ${parts.join(', ')}` });
    return [{ roles: item.roles, object }];
  };

  const order = new Map(roles.map((role, index) => [role, index]));
  const rank = ({ roles: all }: Reference): number => order.get(all[0] ?? 'tls') ?? 0;
  const inOrder = [...references].sort((a, b) => rank(a) - rank(b) || keyOf(a).localeCompare(keyOf(b)));
  const kept = inOrder.flatMap((reference) => {
    const object = secrets.get(keyOf(reference));
    const item = object && serving({ roles: reference.roles, object }, seen, leftOut);
    return item === undefined ? [] : keep(item);
  });
  const configs =
    config === undefined
      ? []
      : keep({ roles: ['platform-config'], object: covered({ roles: ['platform-config'], object: config }).object });
  const used = new Set([...kept, ...configs].map(({ object }) => object.metadata.namespace));
  const namespaces = seen.namespaces
    .filter(({ metadata }) => used.has(metadata.name))
    .flatMap(({ apiVersion, kind, metadata }) =>
      keep({ roles: ['namespace'], object: { apiVersion, kind, metadata } }),
    );
  return { objects: [...namespaces, ...kept, ...configs], leftOut };
}

/** A certificate that serves nobody is not brought back: cert-manager would replace it at once. The Secret's other uses stay. */
function serving(
  item: SnapshotObject,
  { now, certManager }: Observation,
  leftOut: LeftOut[],
): SnapshotObject | undefined {
  if (!hasRole(item, 'tls')) return item;
  const state = usable(asSecret(item.object), { now, certManager: rulesVersion(certManager) });
  if (typeof state !== 'string' || state.startsWith('expired')) return item;
  leftOut.push({ subject: nameOf(item.object), why: `its certificate is ${state}` });
  const others = item.roles.filter((role) => role !== 'tls');
  return others.length === 0 ? undefined : { ...item, roles: others };
}
