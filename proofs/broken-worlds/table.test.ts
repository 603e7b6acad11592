import { expect, it } from '@jest/globals';
import { findingCodes } from '../../shared/checks/catalog.js';
import { topics, unshown } from './table.js';

it('has a world for each code that a check can begin with, or says where else it is shown', () => {
  const shown = new Set(topics.flatMap(({ cases }) => cases.map(({ code }) => code)));
  expect(findingCodes.filter((code) => !shown.has(code)).sort()).toEqual(Object.keys(unshown).sort());
});
