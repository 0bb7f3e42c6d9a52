/** The server of the example, before a real sshd, and pages that the test plays by hand. */
import { once } from 'node:events';
import http from 'node:http';

import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';

import type { FromPage, FromServer } from '../../examples/web-terminal/shared/protocol.ts';
import { freePort } from '../support/free-port.ts';
import { describeWith, printed, startProgram } from '../support/programs/program.ts';
import { WebTerminal } from '../support/programs/web-terminal.ts';

const SIZE = { cols: 80, rows: 24 };
/** What may wait for a page, and one chunk of ssh2 above. */
const MOST_UNCONFIRMED = 131_072 + 65_536;

/** A page that confirms output only when the test wants it to. */
class Page {
  readonly #ws: WebSocket;
  readonly #token: string;
  readonly messages: FromServer[] = [];
  readonly closed: Promise<unknown[]>;
  output = '';

  constructor(terminal: WebTerminal, token = new URL(terminal.url).hash.slice(1)) {
    const { origin } = new URL(terminal.url);
    this.#token = token;
    this.#ws = new WebSocket(origin.replace('http', 'ws'), { origin });
    this.#ws.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as FromServer;
      if (message.type === 'output') this.output += message.data;
      else this.messages.push(message);
    });
    this.closed = once(this.#ws, 'close');
    onTestFinished(() => {
      this.cut();
    });
  }

  async opened(): Promise<void> {
    if (this.#ws.readyState !== WebSocket.OPEN) await once(this.#ws, 'open');
  }

  /** Asks for a shell, the one of another page where that is given. */
  async hello(shell?: { id: string; received: number }): Promise<FromServer> {
    await this.opened();
    const hello = { type: 'hello', token: this.#token, size: SIZE } as const;
    this.send(shell ? { ...hello, shell } : hello);
    return this.message((type) => type === 'shell' || type === 'error');
  }

  send(message: FromPage): void {
    this.sendText(JSON.stringify(message));
  }

  sendText(text: string): void {
    this.#ws.send(text);
  }

  /** Types a line. */
  line(data: string): void {
    this.send({ type: 'input', data: `${data}\n` });
  }

  /** Resolves with the first message of a kind. */
  async message(isWanted: (type: string) => boolean): Promise<FromServer> {
    for (;;) {
      const found = this.messages.find(({ type }) => isWanted(type));
      if (found) return found;
      await once(this.#ws, 'message');
    }
  }

  /** Resolves when the output has this; confirms all of it as it comes, if it is told to. */
  async shows(text: string, confirms = true): Promise<void> {
    while (!this.output.includes(text)) {
      // First, since the server may wait for this with all that it may send.
      if (confirms) this.send({ type: 'ack', position: this.output.length });
      await once(this.#ws, 'message');
    }
  }

  /** Resolves when the server has answered, which it does after all that it had to send. */
  async answered(): Promise<void> {
    const answer = once(this.#ws, 'message');
    this.send({ type: 'ping' });
    await answer;
  }

  /** Closes as a page does that is left. */
  leave(): void {
    this.#ws.close(4001);
  }

  /** Breaks off without a Close. */
  cut(): void {
    this.#ws.terminate();
  }
}

function idOf(message: FromServer): string {
  if (message.type === 'shell') return message.id;
  throw new Error(`no shell but ${JSON.stringify(message)}`);
}

describeWith('sshd', 'the server of the example web-terminal', (sshd) => {
  const openPage = async (): Promise<{ terminal: WebTerminal; page: Page; id: string }> => {
    const terminal = await WebTerminal.start(sshd);
    const page = new Page(terminal);
    const id = idOf(await page.hello());
    // No bash, which would write sequences of its own around what is typed.
    page.line('exec env PS1= sh');
    page.line('stty -echo; echo rea""dy');
    await page.shows('ready\r\n');
    return { terminal, page, id };
  };

  test('lets in no page but its own, and no program', async () => {
    const terminal = await WebTerminal.start(sshd);
    const { origin, port } = new URL(terminal.url);
    const rebound = `http://rebound.example:${port}`;
    for (const [headers, status] of [
      [{ origin }, 101],
      [{ origin: 'https://example.org' }, 403],
      [{ origin: 'null' }, 403],
      [{ origin: rebound, host: new URL(rebound).host }, 403],
      [{}, 403],
    ] as const) {
      const ws = new WebSocket(origin.replace('http', 'ws'), { headers });
      ws.on('error', () => undefined); // What is refused has its answer in the next line.
      const answer = await Promise.race([
        once(ws, 'open').then(() => 101),
        once(ws, 'unexpected-response').then(([, response]) => {
          return (response as { statusCode: number }).statusCode;
        }),
      ]);
      ws.terminate();
      expect([headers, answer]).toEqual([headers, status]);
    }
    expect(terminal.sshd.sessions()).toBe(0);
  });

  test('gives no shell without the token', async () => {
    const terminal = await WebTerminal.start(sshd);
    for (const token of ['', 'a guess']) {
      const page = new Page(terminal, token);
      expect(await page.hello()).toMatchObject({
        type: 'error',
        text: /address.*printed/ as never,
      });
      expect((await page.closed)[0]).toBe(1000);
    }
    expect(terminal.sshd.sessions()).toBe(0);
  });

  test('closes the WebSocket of a page that sends what is no message', async () => {
    const terminal = await WebTerminal.start(sshd);
    for (const text of [
      'no JSON',
      'null',
      '{"type":"unknown"}',
      '{"type":"input","data":"ls"}',
      '{"type":"hello"}',
      '{"type":"hello","token":"","size":{"cols":0,"rows":24}}',
      '{"type":"hello","token":"","size":{"cols":80,"rows":100000}}',
      '{"type":"hello","token":"","size":{"cols":80,"rows":24},"shell":{"id":"x","received":-1}}',
    ]) {
      const page = new Page(terminal);
      await page.opened();
      page.sendText(text);
      expect([text, (await page.closed)[0]]).toEqual([text, 1008]);
    }
  });

  test('splits no character', async () => {
    const { page } = await openPage();
    const before = page.output.length;
    const line = 'é日本🎉';
    page.line(`yes ${line} | head -n 9000 | tr -d '\\n'; echo en""d`);
    await page.shows('end\r\n');
    expect(page.output.slice(before) === `${line.repeat(9000)}end\r\n`).toBe(true);
  });

  test('stops the shell of a page that draws nothing, and loses nothing', async () => {
    const { terminal, page, id } = await openPage();
    page.send({ type: 'ack', position: page.output.length });
    const before = page.output.length;
    page.line('seq 500000; echo en""d');
    await page.shows('\r\n10000\r\n', false);
    for (let quiet = page.output.length, last = 0; quiet !== last; last = quiet) {
      for (let i = 0; i < 50; i++) await page.answered();
      quiet = page.output.length;
    }
    expect(page.output.length - before).toBeLessThan(MOST_UNCONFIRMED);
    expect(page.output).not.toContain('end\r\n');

    // The connection breaks, and another takes up where it was.
    page.cut();
    await page.closed;
    const next = new Page(terminal);
    const kept = page.output.slice(0, before + 100_000);
    const shell = await next.hello({ id, received: kept.length });
    expect(shell).toMatchObject({ type: 'shell', id, resumed: true });
    next.output = kept + next.output;
    await next.shows('end\r\n');
    const numbers = Array.from({ length: 500_000 }, (_, i) => `${String(i + 1)}\r\n`).join('');
    expect(next.output.slice(before) === `${numbers}end\r\n`).toBe(true);
  });

  test('throws a flood away after Ctrl-C, and says so', async () => {
    const { page } = await openPage();
    page.line('PS1="prompt> "; yes');
    await page.shows('y\r\n'.repeat(20_000), false);
    while (page.output.length < 131_072) await page.answered();
    page.send({ type: 'input', data: '\x03' });
    await page.shows('KiB of output skipped', false);
    await page.shows('prompt> ', false);
    expect(page.output.length).toBeLessThan(MOST_UNCONFIRMED + 65_536);
  });

  test('gives a shell to the last page that asks for it', async () => {
    const { terminal, page, id } = await openPage();
    const next = new Page(terminal);
    await next.hello({ id, received: page.output.length });
    expect((await page.closed)[0]).toBe(4002);
    next.line('echo $((6 * 7))');
    await next.shows('42');
    expect(terminal.sshd.sessions()).toBe(1);
  });

  test('takes no more input than the shell may be behind', async () => {
    const { terminal, page } = await openPage();
    // It takes nothing: a pseudoterminal whose line is full may throw input away as it comes.
    terminal.sshd.signal('SIGSTOP');
    onTestFinished(() => {
      terminal.sshd.signal('SIGCONT');
    });
    for (let i = 0; i < 40; i++) page.send({ type: 'input', data: 'x'.repeat(262_144) });
    const [code] = await page.closed;
    expect(code, JSON.stringify(page.messages.at(-1))).toBe(1008);
  });

  test('ends a shell whose page goes before it has begun', async () => {
    const terminal = await WebTerminal.start(sshd);
    const closed = printed(terminal.server, /page: closed with code 1006/);
    const page = new Page(terminal);
    await page.opened();
    page.send({ type: 'hello', token: new URL(terminal.url).hash.slice(1), size: SIZE });
    await page.answered();
    page.cut();
    await closed;
    const other = new Page(terminal);
    await other.hello();
    other.leave();
    await terminal.sshd.idle();
  });

  test('gives a new shell where the id is wrong', async () => {
    const { terminal, id } = await openPage();
    const other = new Page(terminal);
    const shell = await other.hello({ id: 'A'.repeat(id.length), received: 7 });
    expect(shell).toMatchObject({ type: 'shell', resumed: false });
    expect(terminal.sshd.sessions()).toBe(2);
  });

  test('shows the last of the output before it tells how the shell ended', async () => {
    const { page } = await openPage();
    page.line('seq 100000; exit 3');
    const exit = page.message((type) => type === 'exit');
    await page.shows('\r\n100000\r\n');
    expect(await exit).toEqual({ type: 'exit', text: 'The shell ended with exit code 3.' });
    expect((await page.closed)[0]).toBe(1000);
  });

  test('tells the page why there is no shell', async () => {
    const port = await freePort();
    const terminal = await WebTerminal.start(sshd, { SSH_PORT: String(port) });
    const answer = await new Page(terminal).hello();
    expect(answer).toMatchObject({ type: 'error', text: /@127\.0\.0\.1: .*ECONNREFUSED/ as never });
  });

  test('does not log in to a server with another host key', async () => {
    const terminal = await WebTerminal.start(sshd, { SSH_FINGERPRINT: 'SHA256:another' });
    const answer = await new Page(terminal).hello();
    expect(answer).toMatchObject({ type: 'error', text: /host/i as never });
    await terminal.sshd.idle();
  });

  test('ends every shell when it is stopped', async () => {
    const { terminal, page } = await openPage();
    terminal.server.child.kill('SIGTERM');
    expect((await page.closed)[0]).toBe(1001);
    expect(await terminal.server.ended).toEqual({ code: 0, errors: '' });
    await terminal.sshd.idle();
  });

  test('serves no file but those of the page', async () => {
    const terminal = await WebTerminal.start(sshd);
    const get = async (path: string): Promise<http.IncomingMessage> => {
      const request = http.get({ port: terminal.port, path, agent: false });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      response.resume();
      await once(response, 'close');
      return response;
    };
    const { statusCode, headers } = await get('/');
    expect(statusCode).toBe(200);
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect((await get('/modules/xterm.mjs?x')).statusCode).toBe(200);
    for (const path of ['/server.ts', '/page/tsconfig.json', '/page/../server.ts', '//[', '*']) {
      expect([path, (await get(path)).statusCode]).toEqual([path, 404]);
    }
  });

  test('does not start without a way to log in, and says so', async () => {
    const { ended } = startProgram(process.execPath, WebTerminal.command, { env: {} });
    const { code, errors } = await ended;
    expect(errors).toMatch(/^no way to log in: set SSH_KEY .*\n$/);
    expect(code).toBe(2);
  });
});
