// Jest runs each test file in a realm of its own, whose `Error` is not the one of Node's modules: what `fs` or TLS throw would
// count as no error there, though it does in a process of its own. Errors of any realm are errors here, as in production.
import { types } from 'node:util';

const ordinary = Function.prototype[Symbol.hasInstance];
Object.defineProperty(Error, Symbol.hasInstance, {
  value(this: unknown, value: unknown): boolean {
    return ordinary.call(this, value) || (this === Error && types.isNativeError(value));
  },
});
