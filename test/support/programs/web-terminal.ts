import { onTestFinished } from 'vitest';

import {
  type IdleLimitProxy,
  startIdleLimitProxy,
} from '../../../examples/demo/idle-limit-proxy.ts';
import { freePort } from '../free-port.ts';
import { type Browser, type BrowserPage } from './devtools.ts';
import { printed, type Running, startProgram } from './program.ts';
import { type Sshd, startSshd } from './sshd.ts';

/** Time in ms after which the proxy cuts a connection that is idle. */
export const IDLE_LIMIT = 2_000;
/** What the terminal shows, as text. */
const TEXT =
  "[...document.querySelectorAll('.xterm-rows > div')].map((row) => row.textContent).join('\\n')";

/** The example web-terminal before a private sshd, and behind a proxy with an idle limit. */
export class WebTerminal {
  /** The arguments of node, as the header of the example says. */
  static readonly command = ['--import', 'tsx', 'examples/web-terminal/server.ts'];
  readonly sshd: Sshd;
  readonly server: Running;
  /** The address that the server prints, as seen through the proxy. */
  readonly url: string;
  /** The port of the server itself. */
  readonly port: number;
  #proxy: IdleLimitProxy;
  #log = '';

  private constructor(
    sshd: Sshd,
    server: Running,
    proxy: IdleLimitProxy,
    url: string,
    port: number,
  ) {
    this.sshd = sshd;
    this.server = server;
    this.url = url;
    this.port = port;
    this.#proxy = proxy;
    server.child.stdout.on('data', (text: string) => {
      this.#log += text;
    });
  }

  /** What the server has printed since its address. */
  get log(): string {
    return this.#log;
  }

  /** Starts all of it for the time of the test. */
  static async start(sshdProgram: string, env: NodeJS.ProcessEnv = {}): Promise<WebTerminal> {
    const sshd = await startSshd(sshdProgram);
    onTestFinished(sshd.stop);
    const port = await freePort();
    const proxy = await startIdleLimitProxy(port, IDLE_LIMIT);
    const server = startProgram(process.execPath, WebTerminal.command, {
      env: {
        PATH: process.env['PATH'],
        PORT: String(port),
        ORIGIN: `http://127.0.0.1:${String(proxy.port)}`,
        SSH_PORT: String(sshd.port),
        SSH_KEY: sshd.keyFile,
        ...env,
      },
    });
    onTestFinished(() => server.stop('SIGTERM'));
    const [url] = await printed(server, /http:\S+/);
    const terminal = new WebTerminal(sshd, server, proxy, url, port);
    onTestFinished(() => terminal.#proxy.close());
    return terminal;
  }

  /** Cuts all connections, and refuses new ones until `mend()`. */
  async cut(): Promise<void> {
    await this.#proxy.close();
  }

  async mend(): Promise<void> {
    this.#proxy = await startIdleLimitProxy(this.port, IDLE_LIMIT, this.#proxy.port);
  }
}

/** A page with the terminal, in a browser. */
export class TerminalPage {
  readonly page: BrowserPage;

  private constructor(page: BrowserPage) {
    this.page = page;
  }

  /** Opens the page, and waits until its shell answers. */
  static async open(
    browser: Browser,
    url: string,
    [width, height]: readonly [number, number] = [1280, 800],
    isPhone = false,
  ): Promise<TerminalPage> {
    const page = new TerminalPage(await browser.open(url, width, height, isPhone));
    await page.until("document.body?.dataset.state === 'open'");
    await page.run('echo rea""dy', 'ready');
    return page;
  }

  until(expression: string): Promise<void> {
    return this.page.until(expression);
  }

  /** Types a command and waits until the terminal shows what it prints. */
  async run(command: string, output: string): Promise<void> {
    await this.page.type(`${command}\n`);
    await this.shows(output);
  }

  /** Resolves when the terminal shows a text. */
  shows(text: string): Promise<void> {
    return this.until(`${TEXT}.includes(${JSON.stringify(text)})`);
  }

  /** Pastes a text, as the browser does. */
  async paste(text: string): Promise<void> {
    await this.page.evaluate(`(() => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', ${JSON.stringify(text)});
      const event = new ClipboardEvent('paste', { clipboardData, bubbles: true });
      document.querySelector('.xterm-helper-textarea').dispatchEvent(event);
    })()`);
  }

  /** Resolves when the title bar says this. */
  says(pattern: RegExp): Promise<void> {
    return this.until(`!notice.hidden && ${String(pattern)}.test(notice.textContent)`);
  }

  /** Columns and rows, as the title bar shows them. */
  async size(): Promise<[number, number]> {
    const text = await this.page.evaluate<string>("document.querySelector('#size').textContent");
    const [cols, rows] = text.split(' × ').map(Number);
    return [cols ?? 0, rows ?? 0];
  }

  /** Where things are, in CSS pixels; `page` is what could be scrolled to. */
  layout(): Promise<Layout> {
    return this.page.evaluate(`(() => {
      const box = (selector) => {
        const { right, bottom, left } = document.querySelector(selector).getBoundingClientRect();
        return { right, bottom, left };
      };
      const { scrollWidth: width, scrollHeight: height } = document.documentElement;
      return { page: { width, height }, terminal: box('#terminal'), rows: box('.xterm-screen') };
    })()`);
  }
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Layout {
  readonly page: { readonly width: number; readonly height: number };
  readonly terminal: Box;
  readonly rows: Box;
}
