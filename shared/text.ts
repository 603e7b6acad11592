/** A text without some characters at its end. A regular expression for it begins anew at each of them inside of the text. */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** A host as an address has it, an IPv6 one without its brackets. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

/** A text without some characters at its beginning and end. */
export function withoutEnds(text: string, characters: string): string {
  let start = 0;
  while (start < text.length && characters.includes(text.charAt(start))) start += 1;
  return withoutEnd(text.slice(start), characters);
}

/** A host with its port, an IPv6 address in brackets. */
export function hostPort(host: string, port: number | string): string {
  const plain = withoutBrackets(host);
  return `${plain.includes(':') ? `[${plain}]` : plain}:${port}`;
}

/** A text without the slashes at its end. */
export function withoutEndSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === '/') end -= 1;
  return text.slice(0, end);
}
