/**
 * Waits for all of them, and then fails with the first that has failed: nothing of them goes on behind the back of whoever
 * cleans up.
 */
export async function allDone<T extends readonly unknown[]>(
  work: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}
