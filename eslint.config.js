import js from '@eslint/js';
import tseslint from 'typescript-eslint';

// Which folders the files of each folder may import, beside their own: imports flow one way and
// never in a circle.
const layers = {
  'src/base': [],
  'src/websocket': ['base'],
  'src/keepalive': ['base', 'websocket'],
  'src/adapter': ['base', 'keepalive', 'websocket'],
  'src/adapter/link': ['../base', '../websocket'],
  'src/resume/wire': ['../websocket'],
  'src/resume/session': ['wire'],
  'src/resume/socket': ['../adapter', '../base', '../keepalive', '../websocket', 'session', 'wire'],
  'src/resume/client': ['../adapter', '../base', 'socket', 'wire'],
  'src/resume/server': ['../adapter', '../base', '../websocket', 'socket', 'wire'],
  'src/server': ['adapter', 'base', 'resume', 'websocket'],
  'src/server/limits': ['../base'],
  'src/revdial': ['adapter', 'base', 'keepalive', 'server', 'websocket'],
  'src/multistream': ['base'],
  'src/yamux/wire': ['../base'],
  'src/yamux/stream': ['../base', 'wire'],
  'src/yamux/session': ['../base', '../keepalive', 'stream', 'wire'],
  'src/conformance': [],
  'src/conformance/bytes': ['frame'],
  'src/conformance/ends': ['frame'],
  'src/conformance/face': ['frame'],
  'src/conformance/frame': [],
  'bench/parts': [],
  'bench/report': ['parts'],
  'bench/sides': ['../src', '../test', 'parts'],
  'wsconn/src/console': [],
  'wsconn/src/log': ['console'],
  'wsconn/src/options': ['console', 'log'],
  'wsconn/src/config': ['console', 'dial', 'log', 'options'],
  'wsconn/src/completion': ['console', 'log', 'options'],
  'wsconn/src/dial': ['console', 'log', 'options'],
  'wsconn/src/dial/options': ['../console', '../options'],
  'wsconn/src/dial/proxy': ['../console'],
  'wsconn/src/tunnel': ['console', 'dial', 'log', 'options'],
  'wsconn/src/admit': ['console', 'dial', 'log', 'options', 'target', 'token', 'tunnel'],
  'wsconn/src/target': ['console', 'log', 'options', 'tunnel'],
  'wsconn/src/admin': ['console', 'log', 'options', 'target', 'tunnel'],
  'wsconn/src/endpoint': ['console', 'dial', 'options'],
  'wsconn/src/serve': [
    'admin',
    'admit',
    'console',
    'dial',
    'endpoint',
    'log',
    'options',
    'target',
    'tunnel',
    'workers',
  ],
  'wsconn/src/serve/server': [
    '../admit',
    '../console',
    '../dial',
    '../log',
    '../target',
    '../tunnel',
  ],
  'wsconn/src/workers': ['admit', 'console', 'log', 'options'],
  'wsconn/src/socks': ['console'],
  'wsconn/src/forward': ['admin', 'console', 'dial', 'log', 'options', 'socks', 'tunnel'],
  'wsconn/src/ping': ['console', 'dial', 'log', 'options'],
  'wsconn/src/token': ['console', 'dial', 'log', 'options', 'target', 'tunnel'],
  'wsconn/src/doctor': ['console', 'dial', 'log', 'options'],
};

function importsOf(folder, allowed) {
  const names = allowed.map((name) => `${name}/`).join('|') || '$';
  const message = `${folder} may import ${allowed.join(', ') || 'no other folder'}.`;
  return {
    files: [`${folder}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: `^\\.\\./(?!${names}|\\.\\./package\\.json$)`, message }] },
      ],
    },
  };
}

export default tseslint.config(
  { ignores: ['**/dist', 'coverage'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      // An adapter stands where a net.Socket is asked for: that is what the package is for.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
    },
  },
  {
    // The private fields of ws and of Node are read in one place.
    files: ['src/**', 'wsconn/src/**'],
    ignores: ['src/websocket/raw-socket.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[property.name=/^_/]:not([object.type="Super"])',
          message: 'Private fields of others are read in src/websocket/raw-socket.ts only.',
        },
        {
          selector: 'MemberExpression[property.value=/^_/]',
          message: 'Private fields of others are read in src/websocket/raw-socket.ts only.',
        },
      ],
    },
  },
  ...Object.entries(layers).map(([folder, allowed]) => importsOf(folder, allowed)),
  {
    files: ['wsconn/src/**', 'examples/**', 'bench/**', 'test/stress/**'],
    rules: { 'no-console': 'off' },
  },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
);
