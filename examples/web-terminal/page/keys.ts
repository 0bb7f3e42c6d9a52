import type { Terminal } from '@xterm/xterm';

import { element } from './element.ts';

/** Keys that a phone does not have; arrows have their letter in an escape sequence. */
const KEYS: readonly (readonly [label: string, name: string, data: string])[] = [
  ['Esc', 'Escape', '\x1b'],
  ['Tab', 'Tab', '\t'],
  ['←', 'Left', 'D'],
  ['↑', 'Up', 'A'],
  ['↓', 'Down', 'B'],
  ['→', 'Right', 'C'],
];

/** The row of keys below the terminal. */
export class Keys {
  readonly #terminal: Terminal;
  readonly #control: HTMLButtonElement;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#control = this.#add('Ctrl', 'Control, for the next key', () => {
      this.#hold(!this.#isHeld);
    });
    this.#hold(false);
    for (const [label, name, data] of KEYS) {
      this.#add(label, name, () => {
        terminal.input(/[A-D]/.test(data) ? this.#arrow(data) : data);
      });
    }
  }

  get #isHeld(): boolean {
    return this.#control.ariaPressed === 'true';
  }

  /** Makes what was typed a control character, where Ctrl was pressed before. */
  withControl(data: string): string {
    // More than one character is an answer of the terminal, or a paste.
    if (!this.#isHeld || data.length !== 1) return data;
    this.#hold(false);
    return /[@-_a-z]/.test(data) ? String.fromCharCode(data.charCodeAt(0) & 0x1f) : data;
  }

  #hold(isHeld: boolean): void {
    this.#control.ariaPressed = String(isHeld);
  }

  /** Programs such as vim ask for arrows of another kind. */
  #arrow(letter: string): string {
    return `\x1b${this.#terminal.modes.applicationCursorKeysMode ? 'O' : '['}${letter}`;
  }

  #add(label: string, name: string, press: () => void): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.ariaLabel = name;
    // The terminal keeps the focus, and with it the soft keyboard stays.
    button.addEventListener('pointerdown', (event) => {
      event.preventDefault();
    });
    button.addEventListener('click', press);
    element('keys').append(button);
    return button;
  }
}
