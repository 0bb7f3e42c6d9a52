/** The page in a real browser, before a real sshd, behind a proxy that cuts idle connections. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect, onTestFinished, test } from 'vitest';

import { makeFolder } from '../support/folder.ts';
import { Browser } from '../support/programs/devtools.ts';
import { describeWith, printed } from '../support/programs/program.ts';
import { IDLE_LIMIT, TerminalPage, WebTerminal } from '../support/programs/web-terminal.ts';

/** Time in ms that a browser may take to start on a busy machine. */
const TIME_LIMIT = 120_000;
const DESK = [1280, 800] as const;
const PHONE = [390, 844] as const;

describeWith('chromium', 'the example web-terminal', (chromium) => {
  describeWith('sshd', 'before a real sshd', (sshd) => {
    const start = async (
      env?: NodeJS.ProcessEnv,
      size: readonly [number, number] = DESK,
    ): Promise<{ terminal: WebTerminal; page: TerminalPage; browser: Browser }> => {
      const terminal = await WebTerminal.start(sshd, env);
      const browser = await Browser.start(chromium);
      const page = await TerminalPage.open(browser, terminal.url, size, size === PHONE);
      return { terminal, page, browser };
    };

    test('outlives a silence three times the idle limit', { timeout: TIME_LIMIT }, async () => {
      const { terminal, page } = await start();
      await page.run('here=$((6 * 7))', '');
      await sleep(3 * IDLE_LIMIT);
      await page.run('echo still $here', 'still 42');
      // No second connection has stood in for the first.
      expect(terminal.log).toBe('');
    });

    test('tells the shell its new size', { timeout: TIME_LIMIT }, async () => {
      const { page } = await start();
      const before = await page.size();
      await page.page.resize(900, 600);
      await page.until(`size.textContent !== '${before.join(' × ')}'`);
      const [cols, rows] = await page.size();
      expect(cols).toBeLessThan(before[0]);
      await page.run('stty size', `${String(rows)} ${String(cols)}`);
    });

    test(
      'says that it is cut off, and comes back to the same shell and all of its output',
      { timeout: TIME_LIMIT },
      async () => {
        const { terminal, page } = await start();
        const folder = await makeFolder();
        onTestFinished(() => folder.remove());
        const [go, done] = [`${folder.path}/go`, `${folder.path}/done`];
        execFileSync('mkfifo', [go, done]);
        await page.run(
          `here=42; (read x < ${go}; seq -s, 2000 | tail -c 20; echo > ${done}) &`,
          '',
        );
        await terminal.cut();
        await page.says(/Connection lost, reconnecting\s+(in \d+ s|…)/);
        // The output comes while nobody is there to see it.
        await writeFile(go, '\n');
        await readFile(done);
        await terminal.mend();
        await page.says(/Connected again\. The shell has gone on\./);
        await page.shows('1997,1998,1999,2000');
        await page.run('echo still $here', 'still 42');
      },
    );

    test(
      'says that a shell is new after the old one has gone',
      { timeout: TIME_LIMIT },
      async () => {
        const { terminal, page } = await start({ KEEP_SECONDS: '0' });
        await page.run('here=$((6 * 7))', '');
        await terminal.cut();
        await terminal.sshd.idle();
        await terminal.mend();
        await page.says(/Connected again, with a new shell\./);
        await page.shows('the shell from before is gone; this is a new one');
        await page.run('echo "here=$here."', 'here=.');
      },
    );

    test(
      'connects at once when told to, and waits longer each time before',
      { timeout: TIME_LIMIT },
      async () => {
        const { terminal, page } = await start();
        await terminal.cut();
        await page.says(/reconnecting\s+in [34] s/); // The third wait, of 2 to 4 s.
        await terminal.mend();
        await page.page.click('#action');
        await page.says(/The shell has gone on/);
      },
    );

    test('notices a server that is silent', { timeout: TIME_LIMIT }, async () => {
      const { terminal, page } = await start();
      terminal.server.child.kill('SIGSTOP');
      // Else the page asks after 10 s of silence.
      await page.page.evaluate("dispatchEvent(new Event('online'))");
      await page.says(/Connection lost/);
      terminal.server.child.kill('SIGCONT');
      await page.says(/The shell has gone on/);
    });

    test('ends its shell when its tab is closed: Close 1001', { timeout: TIME_LIMIT }, async () => {
      const { terminal, page } = await start();
      expect(terminal.sshd.sessions()).toBe(1);
      const closed = printed(terminal.server, /page: closed with code 1001/);
      await page.page.close();
      await closed;
      await terminal.sshd.idle();
    });

    test(
      'ends its shell when it is left, and has a new one when the browser brings it back',
      { timeout: TIME_LIMIT },
      async () => {
        const { terminal, page } = await start();
        await page.page.evaluate('(window.isTheSamePage = true)');
        const closed = printed(terminal.server, /page: closed with code 4001/);
        await page.page.navigate(new URL('/page/icon.svg', terminal.url).href);
        await closed;
        await terminal.sshd.idle();
        await page.page.back();
        await page.until("document.body?.dataset.state === 'open'");
        expect(await page.page.evaluate('window.isTheSamePage')).toBe(true);
        await page.shows('the shell from before is gone; this is a new one');
        await page.run('echo $((6 * 7))', '42');
        expect(terminal.sshd.sessions()).toBe(1);
      },
    );

    test('ends a flood of output with Ctrl-C', { timeout: TIME_LIMIT }, async () => {
      const { page } = await start();
      await page.page.type('seq 300000; yes a flood of output\n');
      await page.shows('a flood of output\na flood of output');
      await page.page.press('c', true);
      await page.shows('^C');
      await page.run('echo $((6 * 7))', '42');
    });

    test('edits lines of other letters than ASCII', { timeout: TIME_LIMIT }, async () => {
      const { page } = await start();
      await page.run('PS1="new prom""pt> "', 'new prompt> ');
      // Without a locale that bash knows, these would clear its screen and transpose its words.
      await page.run('echo two words ┌──┐ é | tr w W', 'tWo Words ┌──┐ é');
    });

    test(
      'takes a paste of any size, and shows it at the same time',
      { timeout: TIME_LIMIT },
      async () => {
        const { page } = await start();
        const text = 'né日本🎉'.repeat(60_000);
        const bytes = Buffer.from(text);
        const hash = createHash('sha256').update(bytes).digest('hex');
        const count = `head -c ${String(bytes.length)} | tee /dev/tty | sha256sum`;
        await page.run(`stty raw -echo; echo rea""dy2; ${count}; stty sane`, 'ready2');
        await page.paste(text);
        await page.shows(hash);
      },
    );

    test('says how its shell ended, and starts a new one', { timeout: TIME_LIMIT }, async () => {
      const { terminal, page } = await start();
      await page.page.type('exit 3\n');
      await page.says(/The shell ended with exit code 3\./);
      await terminal.sshd.idle();
      await page.page.click('#action');
      await page.until("document.body.dataset.state === 'open'");
      await page.run('echo $((6 * 7))', '42');
    });

    test.for([DESK, PHONE])('fills a window of %i × %i', { timeout: TIME_LIMIT }, async (size) => {
      const { page } = await start({}, size);
      const [width, height] = size;
      const layout = await page.layout();
      expect(layout.page).toEqual({ width, height });
      expect(layout.terminal.left).toBe(0);
      expect(layout.terminal.right).toBe(width);
      // Less than a character and the scroll bar is left at the right, less than a row below.
      expect(width - layout.rows.right).toBeLessThan(40);
      expect(layout.rows.right).toBeLessThanOrEqual(width);
      expect(layout.terminal.bottom - layout.rows.bottom).toBeLessThan(24);
      expect(layout.rows.bottom).toBeLessThanOrEqual(layout.terminal.bottom);
      await page.run('printf "%0300d" 0; echo; echo $((6 * 7))', '42');
      expect((await page.layout()).page).toEqual({ width, height });
    });

    test('has the keys that a phone lacks', { timeout: TIME_LIMIT }, async () => {
      const { page } = await start({}, PHONE);
      await page.run('echo $((6 * 7))', '42');
      await page.page.type('clear\n');
      await page.until("!document.querySelector('.xterm-rows').textContent.includes('42')");
      for (let i = 0; i < 2; i++) await page.page.click('[aria-label=Up]');
      await page.page.type('\n');
      await page.shows('42');
      await page.page.type('cat');
      await page.page.type('\n');
      await page.page.click('#keys button');
      await page.page.type('c');
      await page.shows('^C');
      // Only one key was a control character.
      await page.run('echo $((2 * 4))c', '8c');
    });

    test('can be read aloud', { timeout: TIME_LIMIT }, async () => {
      const { page } = await start();
      await page.page.click('#reader');
      await page.run('echo $((6 * 7))', '42');
      await page.until(
        "document.querySelector('.xterm-accessibility')?.textContent.includes('42')",
      );
      expect(await page.page.evaluate("reader.getAttribute('aria-pressed')")).toBe('true');
    });
  });
});
