/**
 * What must not get into a line: control characters, which start lines and move a terminal's
 * cursor, the line ends of Unicode, and the marks that turn the direction of writing.
 */
const UNSAFE =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Short names of those that are usual. */
const NAMES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The most characters of a field that a line shows. */
const LONGEST_FIELD = 256;

/** Makes one line of a text that a peer may have sent. In JSON it means the same as before. */
export function escaped(text: string): string {
  return text.replace(
    UNSAFE,
    (unsafe) => NAMES[unsafe] ?? `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Quotes what a peer sent, so that it cannot look like another part of its line. */
export function quoted(text: string): string {
  const shown = text.length > LONGEST_FIELD ? `${text.slice(0, LONGEST_FIELD)}…` : text;
  return escaped(JSON.stringify(shown));
}
