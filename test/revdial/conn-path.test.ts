import { describe, expect, test } from 'vitest';

import { formatConnPath, isPathOnly, parseConnPath } from '../../src/revdial/conn-path.ts';

const ids = { dialer: '00ff', uuid: '1-2' };

describe('formatConnPath', () => {
  test('appends the ids as the query, or to the query', () => {
    expect(formatConnPath('/ssh/revdial', ids)).toBe('/ssh/revdial?revdial.dialer=00ff&uuid=1-2');
    expect(formatConnPath('/r?tenant=a', ids)).toBe('/r?tenant=a&revdial.dialer=00ff&uuid=1-2');
  });
});

describe('parseConnPath', () => {
  test('finds the ids wherever they stand in the query, and whatever stands before it', () => {
    expect(parseConnPath('/r?tenant=a&revdial.dialer=00ff&uuid=1-2')).toEqual(ids);
    expect(parseConnPath('?uuid=1-2&revdial.dialer=00ff')).toEqual(ids);
    expect(parseConnPath('//[bad?revdial.dialer=00ff&uuid=1-2')).toEqual(ids);
  });

  test.for([
    '',
    '/',
    '/r?',
    '/r?uuid=1',
    '/r?revdial.dialer=1',
    '/r?revdial.dialer=&uuid=',
    '/r&uuid=1?x',
    '/r?%',
  ])('gives null for %j, where one is missing', (path) => {
    expect(parseConnPath(path)).toBeNull();
  });
});

describe('isPathOnly', () => {
  test.for([
    '/',
    '/ssh/revdial?revdial.dialer=00ff&uuid=1-2',
    '/a//b',
    '/a/../b',
    '/a?b=http://c',
    '/%2F%5c',
    '/a:b@c',
  ])('takes %j', (path) => {
    expect(isPathOnly(path)).toBe(true);
  });

  const bad = [
    '',
    'ssh/revdial',
    '?a',
    '//example.org/x',
    '///example.org/x',
    '/\\example.org/x',
    '\\\\example.org\\x',
    '/a\\b',
    'http://example.org/',
    'wss:/example.org/',
    'javascript:alert(1)',
    '@example.org/',
    ':8080/',
    '.example.org/',
    '/\t/example.org',
    '/\n/example.org',
    '/\r\nHost: example.org',
    '/a b',
    '/a#b',
    '/\u0000',
    '/\u007f',
    '/ä',
    '/\u2028',
    ' /a',
    '/a\n',
  ];
  test.for(bad)('refuses %j', (path) => {
    expect(isPathOnly(path)).toBe(false);
  });

  test('takes nothing that leads a URL to another host, over all of two bytes after the slash', () => {
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        const path = `/${String.fromCharCode(first, second)}evil.example/x`;
        if (!isPathOnly(path)) continue;
        const hosts = [new URL(path, 'wss://good.example'), new URL(`wss://good.example${path}`)];
        if (hosts.some(({ host }) => host !== 'good.example')) expect.fail(path);
      }
    }
  });
});
