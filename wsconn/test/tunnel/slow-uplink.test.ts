import { expect, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { startLink } from '../../../test/support/links/start-link.ts';
import { target } from '../../../test/support/peers/target.ts';
import { readAll } from '../../../test/support/reading.ts';
import { serve, wsconn } from '../../../test/support/wsconn.ts';

/** Bytes a second of a bad line. */
const RATE = 16_000;
/** So many that they take far longer than the keepalive's patience, which is 10 s. */
const SIZE = 20 * RATE;

test(
  'wsconn connect brings all of a file over a slow uplink, though it asks early',
  { timeout: 90_000 },
  async () => {
    const bytes = bytesOf(1, SIZE);
    let got: Uint8Array = new Uint8Array();
    const port = await target((socket) => {
      void readAll(socket).then((all) => {
        got = all;
        socket.end('thanks');
      });
    });
    const { port: served } = await serve(port);
    const link = await startLink(served, { rate: RATE });
    const program = wsconn(['connect', '--keepalive', '2', `ws://127.0.0.1:${String(link.port)}`], {
      input: bytes,
    });
    expect(await program.ended).toMatchObject({ code: 0, stdout: 'thanks', stderr: '' });
    expect(sha256(got)).toBe(sha256(bytes));
  },
);
