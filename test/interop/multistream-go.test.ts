import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { handle, select } from '../../src/multistream/index.ts';
import { CutStream } from '../multistream/cut-stream.ts';
import { HEADER, line } from '../multistream/raw-end.ts';
import { closeOf, next } from '../support/events.ts';
import { readAll, readExactly } from '../support/reading.ts';
import { GoBuild, GoProgram } from './go-program.ts';

const build = new GoBuild('multistream-peer');
const NAMES = ['/ssh/open/1.0.0', '/ssh/close/1.0.0', '/http/proxy/1.0.0'];
const [OPEN = '', CLOSE = ''] = NAMES;
/** Bytes of all that this side says before the payload, and a little more. */
const BORDERS = HEADER.length + line(OPEN).length + line(CLOSE).length + 8;

build.describe('go-multistream', () => {
  let go: GoProgram;
  let port: number;
  let portOfOld: number;

  beforeAll(async () => {
    go = new GoProgram(build.file, [`-protocols=${NAMES.join(',')}`]);
    const listening = await go.line('listening');
    [port, portOfOld] = [Number(listening['port']), Number(listening['portOfOld'])];
  });
  afterAll(() => go.kill());

  /** Connects to the Go program, with a border of chunks at that byte. */
  function dial(at = 0, to = port): Duplex {
    const stream = new CutStream(
      net.connect({ port: to, host: '127.0.0.1', allowHalfOpen: true }),
      at,
    );
    onTestFinished(async () => {
      stream.destroy();
      await closeOf(stream);
    });
    return stream;
  }

  /** Accepts one connection of the Go program, to which it is told the address. */
  async function accept(
    at: number,
    command: (address: string) => Promise<unknown>,
  ): Promise<{
    stream: Duplex;
    answer: Promise<unknown>;
  }> {
    const server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await next(server, 'listening');
    const accepted = next(server, 'connection');
    const { port: ours } = server.address() as AddressInfo;
    const answer = command(`127.0.0.1:${String(ours)}`);
    const stream = new CutStream(((await accepted) as [net.Socket])[0], at);
    server.close();
    onTestFinished(async () => {
      stream.destroy();
      await closeOf(stream);
    });
    return { stream, answer };
  }

  describe('with this side proposing', () => {
    test.each(['port', 'portOfOld'])(
      'takes one protocol, at every border of chunks (%s)',
      async (which) => {
        const to = which === 'port' ? port : portOfOld;
        for (let at = 0; at < BORDERS; at++) {
          const { stream } = await select(dial(at, to), CLOSE);
          stream.end('payload');
          expect(String(await readAll(stream))).toBe(`agreed on ${CLOSE}\npayload`);
        }
      },
    );

    test('takes the second of several, at every border of chunks', async () => {
      for (let at = 0; at < BORDERS; at++) {
        const { stream, protocol } = await select(dial(at), ['/none', OPEN, CLOSE]);
        expect(protocol).toBe(OPEN);
        stream.end('payload');
        expect(String(await readAll(stream))).toBe(`agreed on ${OPEN}\npayload`);
      }
    });

    test('takes first bytes that come with the proposal, at every border of chunks', async () => {
      for (let at = 0; at < BORDERS; at++) {
        const selecting = select(dial(at), OPEN, { firstBytes: 'pay' });
        const { stream } = await selecting;
        stream.end('load');
        expect(String(await readAll(stream))).toBe(`agreed on ${OPEN}\npayload`);
      }
    });

    test('refuses what it does not have, and takes a proposal after it', async () => {
      const stream = dial();
      await expect(select(stream, ['/none', '/neither'])).rejects.toMatchObject({
        code: 'EPROTONOSUPPORT',
      });
      // It knows one header a stream, so the proposal goes without.
      stream.write(line(OPEN), 'latin1');
      expect(String(await readExactly(stream, line(OPEN).length))).toBe(line(OPEN));
      stream.destroy();
    });

    test('refuses first bytes without an answer to them', async () => {
      const selecting = select(dial(), '/none', { firstBytes: '{"id":1}\n' });
      await expect(selecting).rejects.toMatchObject({ code: 'EPROTONOSUPPORT' });
    });
  });

  describe('with this side answering', () => {
    test('proposes one, at every border of chunks', async () => {
      for (let at = 0; at < BORDERS; at++) {
        const { stream, answer } = await accept(at, (to) => go.ask(`select ${to} ${OPEN}`));
        expect((await handle(stream, NAMES)).protocol).toBe(OPEN);
        stream.end('answer');
        expect(String(await readAll(stream))).toBe('payload');
        expect(await answer).toMatchObject({ protocol: OPEN, read: 'answer', error: null });
      }
    });

    test('proposes several, at every border of chunks', async () => {
      for (let at = 0; at < BORDERS; at++) {
        const command = (to: string): Promise<unknown> =>
          go.ask(`select ${to} /none ${CLOSE} ${OPEN}`);
        const { stream, answer } = await accept(at, command);
        expect((await handle(stream, NAMES)).protocol).toBe(CLOSE);
        stream.end('answer');
        expect(String(await readAll(stream))).toBe('payload');
        expect(await answer).toMatchObject({ protocol: CLOSE, read: 'answer', error: null });
      }
    });

    test('sends payload with its proposal, at every border of chunks', async () => {
      for (let at = 0; at < BORDERS; at++) {
        const { stream, answer } = await accept(at, (to) => go.ask(`lazy ${to} ${OPEN}`));
        expect((await handle(stream, NAMES)).protocol).toBe(OPEN);
        stream.end('answer');
        expect(String(await readAll(stream))).toBe('payload');
        expect(await answer).toMatchObject({ read: 'answer', error: null });
      }
    });

    test('is refused, and gives up', async () => {
      const { stream, answer } = await accept(0, (to) => go.ask(`select ${to} /none /neither`));
      await expect(handle(stream, NAMES)).rejects.toMatchObject({ code: 'EPROTONOSUPPORT' });
      expect(await answer).toMatchObject({
        error: 'protocols not supported: [/none /neither]',
      });
    });
  });

  describe('ls', () => {
    test('of it lists what this side takes, at every border of chunks', async () => {
      for (let at = 0; at < HEADER.length + line('ls').length + 80; at++) {
        const { stream, answer } = await accept(at, (to) => go.ask(`ls ${to}`));
        const handling = expect(handle(stream, NAMES)).rejects.toMatchObject({
          code: 'EPROTONOSUPPORT',
        });
        expect(await answer).toMatchObject({ names: NAMES, error: null });
        await handling;
      }
    });

    test('of it lists many names', async () => {
      const names = Array.from({ length: 900 }, (_, i) => `/protocol/${String(i)}/1.0.0`);
      const { stream, answer } = await accept(0, (to) => go.ask(`ls ${to}`));
      const handling = expect(handle(stream, names)).rejects.toMatchObject({
        code: 'EPROTONOSUPPORT',
      });
      expect(await answer).toMatchObject({ names, error: null });
      await handling;
    });

    test('is answered with the same bytes by both', async () => {
      const { stream, answer } = await accept(0, (to) => {
        const theirs = dial(0, portOfOld);
        const ours = net.connect(Number(to.split(':')[1]), '127.0.0.1');
        ours.end(HEADER + line('ls'), 'latin1');
        theirs.end(HEADER + line('ls'), 'latin1');
        return Promise.all([readAll(ours), readAll(theirs)]);
      });
      await expect(handle(stream, NAMES)).rejects.toMatchObject({ code: 'EPROTONOSUPPORT' });
      stream.end();
      const [ours, theirs] = (await answer) as [Buffer, Buffer];
      expect(ours.length).toBeGreaterThan(HEADER.length + NAMES.join('').length);
      expect(ours).toEqual(theirs);
    });
  });
});
