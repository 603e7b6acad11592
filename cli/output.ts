import { styleText } from 'node:util';
import { hide } from '../shared/action/mask.js';
import { letReadersGo } from '../shared/closed-pipe.js';
import type { Paint } from './terminal.js';

/** Where the command writes: everything that it prints goes through here, without secrets. */
export interface Output {
  write(text: string): void;
  /** What is a document already, whose secrets were taken out by whoever made it. */
  document(text: string): void;
  paint: Paint;
  /** Characters in a line; no limit where it is no terminal. */
  width: number;
}

/** A stream of this process. */
export function outputOf(stream: NodeJS.WriteStream): Output {
  letReadersGo(stream);
  const put = (text: string): void => {
    if (stream.writable) stream.write(text);
  };
  return {
    write: (text) => put(hide(text)),
    document: put,
    paint: (style, text) => styleText(style, text, { stream }),
    width: stream.isTTY ? stream.columns : Number.MAX_SAFE_INTEGER,
  };
}
