import { element } from './element.ts';

/** How long good news stays, in ms. */
const BRIEF = 4_000;

export type State = 'connecting' | 'open' | 'lost' | 'ended';

/** The news in the title bar: what happened to the connection, and what can be done. */
export class Notice {
  readonly #bar = element('notice');
  readonly #text = element('notice').querySelector('p') as HTMLParagraphElement;
  readonly #countdown = element('countdown');
  readonly #action = element('action');
  #timer = 0;

  /** @param onAction - what the button does */
  constructor(onAction: () => void) {
    this.#action.addEventListener('click', onAction);
  }

  /** Shows a text, with a button where there is something to do. Good news go away by themselves. */
  show(state: State, text: string, action?: string): void {
    this.hide();
    document.body.dataset['state'] = state;
    this.#bar.hidden = false;
    this.#text.textContent = text;
    this.#action.hidden = action === undefined;
    this.#action.textContent = action ?? '';
    if (state !== 'open') return;
    this.#timer = window.setTimeout(() => {
      this.hide();
    }, BRIEF);
  }

  /** Counts the seconds of a wait beside the text. */
  count(delay: number): void {
    const end = performance.now() + delay;
    const tick = (): void => {
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1_000));
      this.#countdown.textContent = left > 0 ? `in ${String(left)} s` : '…';
      if (left > 0) this.#timer = window.setTimeout(tick, 250);
    };
    tick();
  }

  hide(): void {
    clearTimeout(this.#timer);
    this.#bar.hidden = true;
    this.#text.textContent = this.#countdown.textContent = '';
  }
}
