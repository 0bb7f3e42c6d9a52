import { Connection } from './connection.ts';
import { element } from './element.ts';
import { Keys } from './keys.ts';
import { Notice } from './notice.ts';
import { followVisibleHeight } from './page-height.ts';
import { makeTerminal, writeOwnLine } from './terminal.ts';

const TITLE = document.title;

followVisibleHeight();
const terminal = makeTerminal();
const keys = new Keys(terminal);
const notice = new Notice(() => {
  connect();
});

const connection = new Connection(
  {
    size: () => ({ cols: terminal.cols, rows: terminal.rows }),
    onShell: (kind, name) => {
      element('name').textContent = name;
      if (kind === 'first') notice.hide();
      else if (kind === 'resumed') notice.show('open', 'Connected again. The shell has gone on.');
      else {
        writeOwnLine(terminal, 'the shell from before is gone; this is a new one');
        notice.show('open', 'Connected again, with a new shell.');
      }
      setOpen(true);
    },
    onOutput: (data, drawn) => {
      terminal.write(data, drawn);
    },
    onLost: (delay) => {
      setOpen(false);
      notice.show('lost', 'Connection lost, reconnecting', 'Now');
      notice.count(delay);
    },
    onEnded: (text) => {
      setOpen(false);
      writeOwnLine(terminal, text);
      notice.show('ended', text, 'New shell');
    },
  },
  `${location.origin.replace('http', 'ws')}/`,
  location.hash.slice(1),
);

/** Typing into a terminal without a shell would go nowhere, so it cannot be done. */
function setOpen(isOpen: boolean): void {
  if (isOpen) document.body.dataset['state'] = 'open';
  terminal.options.disableStdin = !isOpen;
  terminal.options.cursorBlink = isOpen;
  if (isOpen) terminal.focus();
}

function connect(): void {
  notice.show('connecting', 'Connecting …');
  connection.connect();
}

terminal.onData((data) => {
  connection.input(keys.withControl(data));
});
const showSize = (): void => {
  element('size').textContent = `${String(terminal.cols)} × ${String(terminal.rows)}`;
};
showSize();
terminal.onResize((size) => {
  showSize();
  connection.resize(size);
});
terminal.onTitleChange((title) => {
  document.title = title === '' ? TITLE : `${title} – ${TITLE}`;
});

const reader = element('reader');
reader.addEventListener('click', () => {
  const isOn = !terminal.options.screenReaderMode;
  terminal.options.screenReaderMode = isOn;
  reader.ariaPressed = String(isOn);
  terminal.focus();
});

// A page that the browser keeps for its "back" would hold the WebSocket open, and its shell with it:
// so it is closed here. Where the browser discards the page, it sends Close 1001 by itself.
window.addEventListener('pagehide', ({ persisted }) => {
  if (persisted) connection.leave();
});
window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted) connect();
});
window.addEventListener('online', () => {
  connection.check();
});
window.addEventListener('offline', () => {
  connection.check();
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') connection.check();
});

setOpen(false);
connect();
