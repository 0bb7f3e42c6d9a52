// Writes the reference part of docs/api.md from the types and doc comments of what the package
// exports, so that each option is described in one place: where it is declared.
//
//   npm run docs            writes it
//
// The text above the marker is written by hand and stays. A test fails where the file is not what
// this prints.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FILE = path.join(ROOT, 'docs/api.md');
const MARKER =
  '<!-- From here on this file is made from the doc comments in src/: npm run docs -->\n';

/** Sub-paths of the package, and the source file of each. */
const ENTRIES = [
  { name: 'ws-conn-adapter', file: 'src/index.ts' },
  { name: 'ws-conn-adapter/yamux', file: 'src/yamux/index.ts' },
  { name: 'ws-conn-adapter/revdial', file: 'src/revdial/index.ts' },
  { name: 'ws-conn-adapter/multistream', file: 'src/multistream/index.ts' },
  { name: 'ws-conn-adapter/conformance', file: 'src/conformance/index.ts' },
];

const program = ts.createProgram(
  ENTRIES.map(({ file }) => path.join(ROOT, file)),
  ts.parseJsonConfigFileContent(
    ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (file) => readFileSync(file, 'utf8'))
      .config,
    ts.sys,
    ROOT,
  ).options,
);
const checker = program.getTypeChecker();
/** Where each declared type is described: exports of two sub-paths are described once. */
const described = new Map<ts.Symbol, string>();

/** Returns docs/api.md as it should be. */
export function apiDocs(): string {
  described.clear();
  const byHand = readFileSync(FILE, 'utf8').split(MARKER, 1)[0] ?? '';
  return `${byHand}${MARKER}${ENTRIES.map(describeEntry).join('')}`;
}

function describeEntry({ name, file }: { name: string; file: string }): string {
  const source = program.getSourceFile(path.join(ROOT, file));
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`${file} exports nothing`);
  const all = checker
    .getExportsOfModule(module)
    .map((symbol) => ({ name: symbol.name, symbol: resolve(symbol) }));
  const again = all.filter(({ symbol }) => described.has(symbol));
  const own = all.filter(({ symbol }) => !described.has(symbol));
  for (const { name: exported, symbol } of own) described.set(symbol, exported);
  own.sort((a, b) => rank(a.symbol) - rank(b.symbol) || a.name.localeCompare(b.name));
  const note = again.map(({ name: exported }) => `[${exported}](#${slug(exported)})`).join(', ');
  return [
    `\n## \`${name}\`\n`,
    note === '' ? '' : `\nAlso exported here: ${note}.\n`,
    ...own.map(({ name: exported, symbol }) => describe(exported, symbol)),
  ].join('');
}

function resolve(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** Functions first, then classes, then what they take. */
function rank(symbol: ts.Symbol): number {
  if (symbol.flags & ts.SymbolFlags.Function) return 0;
  if (symbol.flags & ts.SymbolFlags.Class) return 1;
  return symbol.flags & ts.SymbolFlags.Interface ? 2 : 3;
}

function describe(name: string, symbol: ts.Symbol): string {
  const declaration = symbol.declarations?.at(-1);
  if (!declaration) throw new Error(`${name} is declared nowhere`);
  const head = `\n### ${name}\n`;
  if (ts.isFunctionDeclaration(declaration)) {
    return `${head}${signatures(name, symbol)}${text(symbol)}${throws(symbol)}`;
  }
  if (ts.isClassDeclaration(declaration)) return head + describeClass(name, symbol, declaration);
  if (ts.isInterfaceDeclaration(declaration)) {
    return head + describeInterface(name, symbol, declaration);
  }
  const code = declaration.getText().replace(/^export /, '');
  return `${head}${fence(ts.isVariableDeclaration(declaration) ? `const ${code}` : code)}${text(symbol)}`;
}

function describeClass(name: string, symbol: ts.Symbol, declaration: ts.ClassDeclaration): string {
  const heritage = declaration.heritageClauses?.map((clause) => clause.getText()).join(' ') ?? '';
  const members = declaration.members.filter(isShown);
  const rows = [...inheritedMembers(declaration), ...members]
    .filter((member) => !ts.isConstructorDeclaration(member))
    // Of overloads, the first.
    .filter(
      ({ name: one }, i, all) =>
        all.findIndex((other) => other.name?.getText() === one?.getText()) === i,
    )
    .map((member) => describeMember(name, member));
  const made = members.filter(ts.isConstructorDeclaration);
  const opening = made.map((one) => {
    return fence(`new ${name}(${one.parameters.map(parameter).join(', ')})`);
  });
  const makes = made.map((one) => throwsOf(ts.getJSDocTags(one)));
  return [
    fence(`class ${name} ${heritage}`.trim()),
    text(symbol),
    ...opening,
    ...makes,
    rows.length === 0 ? '' : `\n| member | |\n| --- | --- |\n${[...new Set(rows)].join('')}`,
  ].join('');
}

/** Returns the members that a class has from a class of the package that is not exported itself. */
function inheritedMembers(declaration: ts.ClassDeclaration): ts.ClassElement[] {
  const [type] =
    declaration.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)
      ?.types ?? [];
  const local = type && checker.getSymbolAtLocation(type.expression);
  const base = local && resolve(local);
  const from = base?.declarations?.find(ts.isClassDeclaration);
  if (
    !base ||
    !from ||
    described.has(base) ||
    !from.getSourceFile().fileName.startsWith(path.join(ROOT, 'src/'))
  ) {
    return [];
  }
  return [...inheritedMembers(from), ...from.members.filter(isShown)];
}

/** Whether a member is for users: public, documented as such, and not what Node asks every stream for. */
function isShown(member: ts.ClassElement): boolean {
  if (ts.isSemicolonClassElement(member) || ts.isClassStaticBlockDeclaration(member)) return false;
  const flags = ts.getCombinedModifierFlags(member);
  if (flags & ts.ModifierFlags.Private) return false;
  if (ts.getJSDocTags(member).some(({ tagName }) => tagName.text === 'internal')) return false;
  const name = member.name?.getText() ?? '';
  return !/^[#_]/.test(name);
}

function describeMember(owner: string, member: ts.ClassElement): string {
  if (!member.name) return '';
  const symbol = checker.getSymbolAtLocation(member.name);
  if (!symbol) return '';
  const name = member.name.getText();
  const isMethod = ts.isMethodDeclaration(member);
  const shown = isMethod ? `${name}(${member.parameters.map(parameter).join(', ')})` : name;
  const isProtected = ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Protected;
  // What a member inherits of Node's own documentation stays there.
  const own = ts.getJSDocCommentsAndTags(member).length > 0;
  const said = own ? cell(`${plain(symbol)}${throws(symbol)}`) : 'As in `net.Socket`.';
  return `| ${anchor(owner, name)}${isProtected ? 'protected ' : ''}${code(shown)} | ${said} |\n`;
}

function describeInterface(
  name: string,
  symbol: ts.Symbol,
  declaration: ts.InterfaceDeclaration,
): string {
  const members = declaration.members
    .filter(ts.isPropertySignature)
    .filter(
      (member) => !ts.getJSDocTags(member).some(({ tagName }) => tagName.text === 'internal'),
    );
  const isEvents = name.endsWith('Events');
  const rows = members.map((member) => {
    const property = checker.getSymbolAtLocation(member.name);
    const key = member.name.getText();
    const said = cell(property ? plain(property) : '');
    const type = member.type?.getText() ?? '';
    if (isEvents) return `| ${anchor(name, key)}${code(`'${key}'`)} | ${code(type)} | ${said} |\n`;
    const fallback = cell(tag(member, 'default') ?? '');
    const shown = type.replace(/ \| undefined$/, '');
    return `| ${anchor(name, key)}${code(key)} | ${code(shown)} | ${fallback} | ${said} |\n`;
  });
  const heads = isEvents
    ? '| event | arguments | when |\n| --- | --- | --- |\n'
    : '| field | type | default | |\n| --- | --- | --- | --- |\n';
  return [
    text(symbol),
    inherited(declaration),
    rows.length === 0 ? '' : `\n${heads}${rows.join('')}`,
  ].join('');
}

/** Says which fields come from elsewhere. */
function inherited(declaration: ts.InterfaceDeclaration): string {
  const types = declaration.heritageClauses?.flatMap((clause) => [...clause.types]) ?? [];
  const said = types.map((type) => {
    const base = type.expression.getText();
    const [from, keys] = type.typeArguments ?? [];
    const list = keys
      ? [...keys.getText().matchAll(/'(\w+)'/g)].map(([, key]) => code(key ?? ''))
      : [];
    if (base === 'Omit') return `all of ${link(from)} but ${list.join(', ')}`;
    if (base === 'Pick') return `of ${link(from)}: ${list.join(', ')}`;
    return `all of ${link(type.expression)}`;
  });
  return said.length === 0 ? '' : `\nIt has ${said.join('; ')}.\n`;
}

/** What ws and Node declare has their own names in their documentation. */
const FOREIGN = new Map([
  [
    'ClientRequestArgs',
    '[`http.request()`](https://nodejs.org/api/http.html#httprequesturl-options-callback)',
  ],
  [
    'ConnectionOptions',
    '[`tls.connect()`](https://nodejs.org/api/tls.html#tlsconnectoptions-callback)',
  ],
  [
    'WsServerOptions',
    '`ServerOptions` of [ws](https://github.com/websockets/ws/blob/master/doc/ws.md)',
  ],
  [
    'ClientOptions',
    '`ClientOptions` of [ws](https://github.com/websockets/ws/blob/master/doc/ws.md)',
  ],
]);

function link(node: ts.Node | undefined): string {
  const name = node?.getText() ?? '';
  return FOREIGN.get(name) ?? `[${name}](#${slug(name)})`;
}

function signatures(name: string, symbol: ts.Symbol): string {
  const lines = checker
    .getTypeOfSymbol(symbol)
    .getCallSignatures()
    .map((signature) => {
      const declaration = signature.getDeclaration();
      const result = declaration.type?.getText() ?? checker.typeToString(signature.getReturnType());
      return `${name}(${declaration.parameters.map(parameter).join(', ')}): ${result}`;
    });
  return fence(lines.join('\n'));
}

function parameter(node: ts.ParameterDeclaration): string {
  const name = node.name.getText().replace(/^_/, '');
  const optional = (node.questionToken ?? node.initializer) ? '?' : '';
  const type = node.type ? `: ${node.type.getText().replace(/\s+/g, ' ')}` : '';
  return `${node.dotDotDotToken ? '...' : ''}${name}${optional}${type}`;
}

function text(symbol: ts.Symbol): string {
  const said = plain(symbol);
  return said === '' ? '' : `\n${said}\n`;
}

function plain(symbol: ts.Symbol): string {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
}

function throws(symbol: ts.Symbol): string {
  return throwsOf(symbol.declarations?.flatMap((one) => [...ts.getJSDocTags(one)]) ?? []);
}

function throwsOf(tags: readonly ts.JSDocTag[]): string {
  return tags
    .filter(({ tagName }) => tagName.text === 'throws')
    .map(({ comment }) => `\nThrows ${ts.getTextOfJSDocComment(comment) ?? ''}.\n`)
    .join('');
}

function tag(node: ts.Node, name: string): string | undefined {
  const found = ts.getJSDocTags(node).find(({ tagName }) => tagName.text === name);
  return found && ts.getTextOfJSDocComment(found.comment);
}

function fence(lines: string): string {
  return `\n\`\`\`text\n${lines.trim()}\n\`\`\`\n`;
}

function code(words: string): string {
  return `\`${cell(words)}\``;
}

function cell(words: string): string {
  return words
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\|/g, '\\|')
    .trim();
}

function anchor(owner: string, name: string): string {
  return `<a id="${slug(`${owner}-${name}`)}"></a>`;
}

function slug(heading: string): string {
  return heading.toLowerCase().replace(/[^a-z0-9_-]/g, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FILE, apiDocs());
