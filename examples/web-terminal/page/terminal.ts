import { FitAddon } from '@xterm/addon-fit';
import { type ITheme, Terminal } from '@xterm/xterm';

import { element } from './element.ts';

/** Every colour has a contrast of 4.5 to 1 and more to the background, but black. */
const THEME: ITheme = {
  background: '#11151c',
  foreground: '#d7dde8',
  cursor: '#7fd88f',
  cursorAccent: '#11151c',
  selectionBackground: '#3d5a80',
  black: '#2b3340',
  red: '#ff7b72',
  green: '#7fd88f',
  yellow: '#f2c14e',
  blue: '#79b8ff',
  magenta: '#d2a8ff',
  cyan: '#66d9e8',
  white: '#d7dde8',
  brightBlack: '#8492a8',
  brightRed: '#ffa198',
  brightGreen: '#a6ebb2',
  brightYellow: '#ffdf85',
  brightBlue: '#a8d1ff',
  brightMagenta: '#e2c5ff',
  brightCyan: '#9beaf5',
  brightWhite: '#ffffff',
};

/** Leaves the second screen, where editors draw; only there, for it moves the cursor. */
const LEAVE_SCREEN = '\x1b[?1049l';
/** Undoes what a program that is gone may have set: margins, hidden cursor, mouse, paste mode. */
const RECOVER = '\x1b[!p\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b[0m';

/** Makes the terminal that fills #terminal, and keeps filling it. */
export function makeTerminal(): Terminal {
  const terminal = new Terminal({
    cursorBlink: true,
    fontFamily: "ui-monospace, 'Cascadia Mono', Menlo, 'DejaVu Sans Mono', monospace",
    fontSize: window.innerWidth < 600 ? 13 : 15,
    minimumContrastRatio: 4.5,
    scrollback: 5_000,
    theme: THEME,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  const place = element('terminal');
  terminal.open(place);
  fit.fit();
  new ResizeObserver(() => {
    fit.fit();
  }).observe(place);
  return terminal;
}

/** Writes a line of the page's own, which no shell has printed, below all that one has. */
export function writeOwnLine(terminal: Terminal, text: string): void {
  terminal.write('', () => {
    const leave = terminal.buffer.active.type === 'alternate' ? LEAVE_SCREEN : '';
    terminal.scrollToBottom();
    terminal.write(`${leave}${RECOVER}\r\n\x1b[33m── ${text} ──\x1b[0m\r\n`);
  });
}
