import { expect, test } from 'vitest';

import { urlOfTarget } from '../../src/forward/target-url.ts';

test.each([
  ['wss://example.org', '', 'wss://example.org/'],
  ['wss://example.org/in', '', 'wss://example.org/in'],
  ['wss://example.org', 'db', 'wss://example.org/db'],
  ['wss://example.org/in', 'db', 'wss://example.org/in/db'],
  ['wss://example.org/in/', 'db', 'wss://example.org/in/db'],
  ['wss://u:p@example.org/in?key=1', 'db', 'wss://u:p@example.org/in/db?key=1'],
  ['ws+unix:/run/wsconn.sock', 'db', 'ws+unix:/run/wsconn.sock:/db'],
  ['ws+unix:/run/wsconn.sock:/in', 'db', 'ws+unix:/run/wsconn.sock:/in/db'],
])('below %s the target %j is at %s', (server, name, url) => {
  expect(urlOfTarget(new URL(server), name).href).toBe(url);
});
