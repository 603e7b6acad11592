import { isRecord } from '../json.js';
import type { Condition, KubeObject } from './objects.js';

/** What stands at a path of field names and list indexes; undefined where a step leads nowhere. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((found, step) => {
    if (typeof step === 'number') return Array.isArray(found) ? found[step] : undefined;
    return isRecord(found) ? found[step] : undefined;
  }, value);
}

/** The text at a path; empty when there is none. */
export function textAt(value: unknown, ...path: (string | number)[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : '';
}

/** The number at a path, or undefined. */
export function numberAt(value: unknown, ...path: (string | number)[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === 'number' ? found : undefined;
}

/** The objects of the list at a path; empty when there is none. */
export function recordsAt(value: unknown, ...path: (string | number)[]): Record<string, unknown>[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.filter(isRecord) : [];
}

/** The texts of the object at a path, by their names; empty when there is none. */
export function textsAt(value: unknown, ...path: (string | number)[]): Record<string, string> {
  const found = at(value, ...path);
  const entries = Object.entries(isRecord(found) ? found : {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/** The condition of a type in an object's status. */
export function conditionOf(object: KubeObject | undefined, type: string): Condition | undefined {
  const found = recordsAt(object, 'status', 'conditions').find((one) => one.type === type);
  if (found === undefined) return undefined;
  return {
    type,
    status: textAt(found, 'status'),
    reason: textAt(found, 'reason'),
    message: textAt(found, 'message'),
    lastTransitionTime: textAt(found, 'lastTransitionTime'),
  };
}

/** Whether a condition of an object's status is True. */
export function isTrue(object: KubeObject | undefined, type: string): boolean {
  return conditionOf(object, type)?.status === 'True';
}
