/**
 * What must not get into a line: control characters, which start lines and move a terminal's
 * cursor, the line ends of Unicode, and the marks that turn the direction of writing.
 */
const UNSAFE =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Makes one line, without a surprise, of a text that a peer may have sent. */
export function escaped(text: string): string {
  return text.replace(
    UNSAFE,
    (unsafe) => `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
