import { EventEmitter } from 'node:events';

import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

import { next } from '../events.ts';
import { openInChromium } from './chromium.ts';
import { printed } from './program.ts';

type Json = Readonly<Record<string, unknown>>;

/** What DevTools answers to a command. */
interface Answer {
  readonly id?: number;
  readonly result?: Json;
  readonly error?: { readonly message: string };
}

/** What DevTools says of a page by itself. */
interface Event {
  readonly method?: string;
  readonly sessionId?: string;
}

/** A headless browser that the test steers through the DevTools protocol. */
export class Browser {
  readonly #ws: WebSocket;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  readonly #events = new EventEmitter();
  #id = 0;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as Answer & Event;
      if (answer.method) this.#events.emit(`${answer.method} ${answer.sessionId ?? ''}`);
      this.#asked.get(answer.id ?? 0)?.(answer);
      this.#asked.delete(answer.id ?? 0);
    });
    ws.on('close', () => {
      const error = { message: 'the browser has gone' };
      for (const answer of this.#asked.values()) answer({ error });
    });
  }

  /** Starts a browser for the time of the test. */
  static async start(chromium: string): Promise<Browser> {
    const running = openInChromium(chromium, 'about:blank');
    const [, url] = await printed(running, /DevTools listening on (\S+)/, 'stderr');
    const ws = new WebSocket(String(url));
    onTestFinished(async () => {
      const closed = next(ws, 'close');
      ws.terminate();
      await closed;
    });
    await next(ws, 'open');
    return new Browser(ws);
  }

  /** Opens a page and gives it a size in CSS pixels; a phone has a touch screen. */
  async open(url: string, width: number, height: number, isPhone = false): Promise<BrowserPage> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const attached = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new BrowserPage(this, String(attached['sessionId']));
    if (isPhone) {
      await page.send('Emulation.setTouchEmulationEnabled', { enabled: true, maxTouchPoints: 5 });
    }
    await page.resize(width, height, isPhone);
    await page.send('Page.enable');
    await page.navigate(url);
    return page;
  }

  /** Resolves at the next event of that name in a session. */
  async event(method: string, sessionId: string): Promise<void> {
    await next(this.#events, `${method} ${sessionId}`);
  }

  /** Sends a command. @throws what DevTools says is wrong with it */
  async send(method: string, params: Json = {}, sessionId?: string): Promise<Json> {
    const id = ++this.#id;
    const { result, error } = await new Promise<Answer>((resolve) => {
      this.#asked.set(id, resolve);
      this.#ws.send(JSON.stringify({ id, method, params, sessionId }));
    });
    if (error) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }
}

/** Keys that print nothing: their code, and the text that the browser makes of them. */
const KEYS: Readonly<Record<string, readonly [code: number, text?: string]>> = {
  Enter: [13, '\r'],
  Escape: [27],
};

/** One page of a browser. */
export class BrowserPage {
  readonly #browser: Browser;
  readonly #session: string;

  constructor(browser: Browser, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  send(method: string, params: Json = {}): Promise<Json> {
    return this.#browser.send(method, params, this.#session);
  }

  /** Resolves when the page there is loaded; until then there may be no page to ask anything. */
  async navigate(url: string): Promise<void> {
    const loaded = this.#browser.event('Page.loadEventFired', this.#session);
    await this.send('Page.navigate', { url });
    await loaded;
  }

  /** Goes back in the history, as the button of the browser does. */
  async back(): Promise<void> {
    const { currentIndex, entries } = await this.send('Page.getNavigationHistory');
    const entry = (entries as { id: number }[])[Number(currentIndex) - 1];
    await this.send('Page.navigateToHistoryEntry', { entryId: entry?.id });
  }

  async resize(width: number, height: number, mobile = false): Promise<void> {
    const deviceScaleFactor = mobile ? 2 : 1;
    await this.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor,
      mobile,
    });
  }

  /** Returns what an expression gives in the page; it may be a promise. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: T }).value;
  }

  /** Resolves when an expression is true in the page, which is looked at for each of its frames. */
  async until(expression: string): Promise<void> {
    await this.evaluate(`new Promise((resolve) => {
      const look = () => { if (${expression}) resolve(); else setTimeout(look, 16); };
      look();
    })`);
  }

  /** Types text, a key for each character. */
  async type(text: string): Promise<void> {
    for (const char of text) {
      if (char === '\n') await this.press('Enter');
      else await this.send('Input.dispatchKeyEvent', { type: 'char', text: char, key: char });
    }
  }

  /** Presses a key by its name, or a letter with Ctrl. */
  async press(key: string, isControl = false): Promise<void> {
    const [windowsVirtualKeyCode, text] = KEYS[key] ?? [key.toUpperCase().charCodeAt(0)];
    const event = { key, windowsVirtualKeyCode, modifiers: isControl ? 2 : 0 };
    await this.send('Input.dispatchKeyEvent', { ...event, type: 'keyDown', ...(text && { text }) });
    await this.send('Input.dispatchKeyEvent', { ...event, type: 'keyUp' });
  }

  /** Clicks on the middle of an element. */
  async click(selector: string): Promise<void> {
    const [x, y] = await this.evaluate<[number, number]>(
      `(({ x, y, width, height }) => [x + width / 2, y + height / 2])(
        document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect())`,
    );
    const event = { x, y, button: 'left', clickCount: 1 };
    await this.send('Input.dispatchMouseEvent', { ...event, type: 'mousePressed' });
    await this.send('Input.dispatchMouseEvent', { ...event, type: 'mouseReleased' });
  }

  /** Closes the page as its tab's cross does. */
  async close(): Promise<void> {
    await this.send('Page.close');
  }

  /** Takes a picture: PNG in base64. */
  async screenshot(): Promise<string> {
    return String((await this.send('Page.captureScreenshot', { format: 'png' }))['data']);
  }
}
