import { type Document, isAlias, isNode, isScalar, type Node, parseDocument, visit } from 'yaml';

import type { Problems } from './problems.ts';

/** More than any file needs; each is looked for in the whole file. */
const MOST_ALIASES = 100;

const NO_ANCHOR =
  'there is no anchor of that name before: put quotes around a value that begins with *';
const NO_TAGS = 'leave the tag out (!NAME): put quotes around a value that begins with !';

/** What the codes of the parser mean. Its own words may quote the file, which may hold secrets. */
const MEANINGS: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias (*NAME) has no anchor or tag of its own',
  BAD_ALIAS: NO_ANCHOR,
  BAD_DQ_ESCAPE: 'no such escape: put single quotes around a value with a backslash',
  BAD_INDENT: 'wrong indentation: all keys of a map begin in one column',
  BAD_SCALAR_START: 'put quotes around a value that begins with this character',
  BLOCK_AS_IMPLICIT_KEY: "put quotes around a value with ': ' in it",
  BLOCK_IN_FLOW: 'a block cannot stand inside of [ ] or { }',
  DUPLICATE_KEY: 'this is given twice: give it once, or as a list where it may be many',
  MISSING_CHAR: 'something is missing: a closing quote or bracket, a colon, or a comma',
  MULTILINE_IMPLICIT_KEY: 'a key stands on one line, with a colon behind it',
  MULTIPLE_ANCHORS: 'a value has one anchor (&NAME) at most',
  MULTIPLE_DOCS: 'a second document begins: a configuration is a single one',
  MULTIPLE_TAGS: 'a value has one tag (!NAME) at most',
  NON_STRING_KEY: 'a key is a plain word',
  TAB_AS_INDENT: 'a tab: YAML is indented with spaces',
  TAG_RESOLVE_FAILED: NO_TAGS,
};

/** What one configuration file holds, node by node. */
export interface Yaml {
  readonly contents: Node | null;
  /** Returns what a node stands for: the node of its anchor, where it is an alias. */
  resolve(node: unknown): Node | null;
}

/** Parses YAML, which JSON is too; adds what is wrong with it to the problems. */
export function parseYaml(text: string, problems: Problems): Yaml {
  const document: Document = parseDocument(text, {
    lineCounter: problems.lines,
    prettyErrors: false,
    // Aliases are followed one by one, below, and a merge key is a key like any other.
    merge: false,
    schema: 'core',
  });
  for (const { code, pos } of [...document.errors, ...document.warnings]) {
    problems.addSyntax(
      pos[0],
      MEANINGS[code] ?? 'this is not YAML: look for quotes or brackets before',
    );
  }
  checkAliases(document, problems);
  checkTags(document, problems);
  return {
    contents: document.contents,
    resolve: (node) => {
      if (isAlias(node)) return node.resolve(document) ?? null;
      return isNode(node) ? node : null;
    },
  };
}

/** Returns where a node begins. */
export function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

/** Returns what a key says; undefined where it is no plain word. */
export function wordOf(node: unknown): string | undefined {
  if (!isScalar(node)) return undefined;
  return typeof node.value === 'string' ? node.value : (node.source ?? '');
}

function checkAliases(document: Document, problems: Problems): void {
  let count = 0;
  visit(document, {
    Alias: (_, alias) => {
      count++;
      if (count <= MOST_ALIASES) {
        if (!alias.resolve(document)) problems.addSyntax(offsetOf(alias), NO_ANCHOR);
        return undefined;
      }
      problems.add(offsetOf(alias), `there are more than ${String(MOST_ALIASES)} aliases (*NAME)`);
      return visit.BREAK;
    },
  });
  // Nothing more is looked at: to follow them all would take long.
  if (count > MOST_ALIASES) problems.throwAny();
}

/** A value means what it looks like: a tag would make something else of it. */
function checkTags(document: Document, problems: Problems): void {
  visit(document, {
    Value: (_, node) => {
      if (node.tag !== undefined) problems.add(offsetOf(node), NO_TAGS);
    },
  });
}
