import { describe, expect, it } from '@jest/globals';
import { serverClock } from './server-clock.js';

const noon = Date.parse('2026-12-01T12:00:00Z');
const said = (ms: number): string => new Date(ms).toUTCString();

describe('the API server’s clock', () => {
  function world(): { clock: ReturnType<typeof serverClock>; later: (ms: number) => void } {
    let time = 5000;
    return {
      clock: serverClock(() => time),
      later: (ms) => {
        time += ms;
      },
    };
  }

  it('is not known before an answer, nor by one that says no time', () => {
    const { clock } = world();
    expect(clock.now()).toBeUndefined();
    clock.hear('soon');
    expect(clock.now()).toBeUndefined();
  });

  it('goes on, and never back for an answer that was slow or whose second had just begun', () => {
    const { clock, later } = world();
    clock.hear(said(noon));
    later(900);
    clock.hear(said(noon));
    expect(clock.now()).toEqual(new Date(noon + 900));
    later(3000);
    clock.hear(said(noon + 1000));
    expect(clock.now()).toEqual(new Date(noon + 3900));
    later(100);
    clock.hear(said(noon + 5000));
    expect(clock.now()).toEqual(new Date(noon + 5000));
  });

  it('is followed where it was set back', () => {
    const { clock, later } = world();
    clock.hear(said(noon));
    later(1000);
    clock.hear(said(noon - 3600_000));
    expect(clock.now()).toEqual(new Date(noon - 3600_000));
  });
});
