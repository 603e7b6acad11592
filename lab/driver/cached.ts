/** What was looked at is good for some time; what could not be looked at is looked at again. @param good in ms */
export function cached<T>(look: () => Promise<T>, good: number): () => Promise<T> {
  let seen: { at: number; value: Promise<T> } | undefined;
  return () => {
    if (seen === undefined || Date.now() - seen.at > good) {
      const value = look();
      seen = { at: Date.now(), value };
      value.catch(() => {
        seen = undefined;
      });
    }
    return seen.value;
  };
}
