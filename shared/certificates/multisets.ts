/** Comparisons without order, as cert-manager pkg/util/util.go makes them. */
import { addressKey } from './sans.js';

/** Whether both lists hold the same items equally often (EqualUnsorted). An absent list is empty. */
export function sameItems(first: readonly string[] | undefined, second: readonly string[] | undefined): boolean {
  const left = (first ?? []).toSorted();
  const right = (second ?? []).toSorted();
  return left.length === right.length && left.every((item, index) => item === right[index]);
}

/** Whether both lists hold the same addresses (EqualIPsUnsorted). Texts that are no addresses are alike, as nil is in Go. */
export function sameAddresses(first: readonly string[] | undefined, second: readonly string[] | undefined): boolean {
  const keys = (texts: readonly string[] | undefined) => (texts ?? []).map((text) => addressKey(text) ?? '');
  return sameItems(keys(first), keys(second));
}
