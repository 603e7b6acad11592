/** A text of this many characters is ordinary, whatever it is made of. */
const shortestRun = 16;
/** Names by which files and messages call what follows them a secret. */
const named =
  /(?:token|passw(?:or)?d|passphrase|secret|credential|api-?key|client-key-data|authorization)["']?[^\S\n]{0,8}[:=][^\S\n]{0,8}["']?([^\s"',}]{1,4096})/gi;
const userinfo = /:\/\/([^\s"'/?#]{1,1024})@/g;
const between = /[\s"'`,;{}()[\]<>|]+/;

/**
 * What of a text has the form of a secret: passwords in addresses, values that are called token or password, and words
 * of letters and digits that nobody would call a thing. Linear in the text.
 */
export function secretsIn(text: string): string[] {
  const found = new Set<string>();
  for (const [, value = ''] of text.matchAll(named)) found.add(value);
  for (const [, value = ''] of text.matchAll(userinfo)) for (const part of userinfoParts(value)) found.add(part);
  for (const word of text.split(between)) {
    const value = word.replace(/^[\w-]{1,64}[:=](?=.)/, '');
    if (isSecretWord(value)) found.add(value);
  }
  return [...found].filter((one) => one !== '');
}

/** The password of the user part of an address, as it is written and as it is meant; of a user part alone, which may be a token, all. */
export function userinfoParts(part: string): string[] {
  const colon = part.indexOf(':');
  const secret = part.slice(colon + 1);
  return [secret, percentDecoded(secret)];
}

/** A percent-encoded text as it is meant; as it is where it is none. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The password in an address, in each form in which it may show; nothing where it has none. */
export function passwordsIn(address: string): string[] {
  return [...address.matchAll(userinfo)].flatMap(([, part = '']) => userinfoParts(part));
}

/**
 * A path for a message; undefined for what is none, or may be something else: whatever is given in place of a path may be
 * the secret itself. Only what begins or ends as paths do is shown.
 */
export function shownPath(text: string): string | undefined {
  const isPath =
    /^(?:~|\.{1,2})?\/[\w.@+/-]{1,254}$|^[\w.+/-]{1,240}\.(?:ya?ml|json|conf|config|kubeconfig|txt|pem|crt|tar|xml)$/;
  return isPath.test(text) && secretsIn(text).length === 0 ? text : undefined;
}

/** How base64 of a private key begins, in each form, and of PEM: most of the first line is the same in all, and little is chance. */
const keyStart = /^(?:MI[GHI]|MC4CA|MHcCA|LS0tLS1CRUdJTi)[A-Za-z0-9+/]{20}/;

/** Names have letters, and then perhaps a number; keys and tokens have both in turn, or letters of both cases. */
function isSecretWord(word: string): boolean {
  if (keyStart.test(word)) return true;
  // Base64 has slashes, and may have few digits.
  const letters = word.replace(/[^A-Za-z0-9]+/g, '');
  if (letters.length >= 2 * shortestRun && kindChangesIn(letters) >= letters.length / 3) return true;
  return word.split(/[-_./:@=\\]+/).some((run) => {
    if (run.length < shortestRun || !/[A-Za-z+]/.test(run)) return false;
    const digits = run.match(/\d+/g) ?? [];
    const turns = 2 * digits.length;
    return digits.join('').length >= 8 || turns >= Math.max(4, run.length / 8);
  });
}

/** How often a text goes from small letters to capitals or digits, and back: in words once or twice each. */
function kindChangesIn(text: string): number {
  return (text.match(/[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|[0-9](?=[A-Za-z])/g) ?? []).length;
}
