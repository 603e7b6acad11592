import { describe, expect, it } from '@jest/globals';
import { parseOverrides } from './overrides.js';

describe('parseOverrides', () => {
  it('reads hosts with and without ports, IPv6 in brackets', () => {
    expect(parseOverrides('a.example.com=10.0.0.1\nb.example.com:443=[::1]:8443')).toEqual([
      { host: 'a.example.com', port: undefined, address: '10.0.0.1', toPort: undefined },
      { host: 'b.example.com', port: 443, address: '::1', toPort: 8443 },
    ]);
  });

  it.each(['a.example.com', 'a.example.com=', 'a.example.com=b.example.com', '=1.2.3.4', 'a:x=1.2.3.4'])(
    'refuses %j',
    (text) => {
      expect(() => parseOverrides(text)).toThrow('is not host=address');
    },
  );
});
