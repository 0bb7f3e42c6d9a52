import js from '@eslint/js';
import tseslint from 'typescript-eslint';

// Which files of the package each file or folder may import: imports flow one way and never in a circle.
const layers = {
  'errors.ts': [],
  'features-header.ts': [],
  'chunk-queue.ts': [],
  'reset-socket.ts': [],
  'guarded.ts': [],
  'half-close.ts': ['guarded', 'raw-socket'],
  'receive-buffer.ts': ['chunk-queue'],
  'message-reader.ts': ['close-code', 'half-close', 'receive-buffer'],
  'lingering.ts': ['raw-socket', 'reset-socket'],
  'ws-limits.ts': ['check-option'],
  'raw-socket.ts': [],
  'check-option.ts': ['errors'],
  'claim.ts': ['errors', 'raw-socket'],
  'close-code.ts': ['errors'],
  'max-payload.ts': ['check-option'],
  'refuse.ts': [],
  'adapter-options.ts': ['check-option', 'errors', 'keepalive', 'max-payload', 'socket-duplex'],
  'close-error.ts': ['close-code', 'errors'],
  'closing.ts': ['close-code', 'errors', 'link', 'socket-duplex'],
  'outgoing.ts': ['errors'],
  'gatherer.ts': ['outgoing'],
  'socket-duplex.ts': ['check-option', 'errors'],
  'transit.ts': [],
  'unanswered-pings.ts': ['transit'],
  'liveness.ts': ['errors', 'unanswered-pings'],
  'keepalive.ts': ['check-option', 'errors', 'guarded', 'liveness', 'raw-socket'],
  'link.ts': ['guarded', 'lingering', 'raw-socket', 'reset-socket'],
  'adapter.ts': [
    'adapter-options',
    'check-option',
    'claim',
    'close-code',
    'close-error',
    'closing',
    'errors',
    'features-header',
    'gatherer',
    'half-close',
    'keepalive',
    'link',
    'message-reader',
    'outgoing',
    'receive-buffer',
    'socket-duplex',
  ],
  'connect.ts': [
    'adapter',
    'adapter-options',
    'check-option',
    'errors',
    'features-header',
    'max-payload',
    'ws-limits',
  ],
  'gatekeeper.ts': ['check-option', 'errors'],
  'http-server.ts': [],
  'websocket-server.ts': ['features-header', 'ws-limits'],
  'server-options.ts': ['adapter-options', 'check-option', 'errors', 'gatekeeper', 'max-payload'],
  'connections.ts': ['adapter'],
  'server.ts': [
    'adapter',
    'close-code',
    'connections',
    'errors',
    'features-header',
    'gatekeeper',
    'http-server',
    'refuse',
    'server-options',
    'websocket-server',
  ],
  'end-for-good.ts': [],
  'join.ts': ['end-for-good', 'errors', 'reset-socket', 'socket-duplex'],
  'yamux/**': [
    'check-option',
    'chunk-queue',
    'errors',
    'guarded',
    'liveness',
    'receive-buffer',
    'socket-duplex',
  ],
  'revdial/**': [
    'adapter',
    'adapter-options',
    'check-option',
    'errors',
    'features-header',
    'keepalive', // Its options: the device keeps alive what it has picked up.
    'max-payload',
    'refuse', // A pick-up that nobody waits for gets HTTP 400.
    'socket-duplex', // Its close(), where the control connection has one.
    'websocket-server',
  ],
  // cli/** may import all: whatever is public serves the command too.
};

function importsOf(files, allowed) {
  const inFolder = files.endsWith('/**');
  const names = allowed.join('|');
  // From a folder of its own, a file may import its neighbours and, one step up, what its layer allows.
  const regex = inFolder ? `^\\.\\./(?!(${names})\\.ts$)` : `^\\.{1,2}/(?!(${names})\\.ts$)`;
  return {
    files: [`src/${files}`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex, message: `src/${files} may import ${names || 'no other file of the package'}.` },
          ],
        },
      ],
    },
  };
}

export default tseslint.config(
  { ignores: ['dist', 'coverage'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
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
    files: ['src/**'],
    ignores: ['src/raw-socket.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[property.name=/^_/]:not([object.type="Super"])',
          message: 'Private fields of others are read in src/raw-socket.ts only.',
        },
        {
          selector: 'MemberExpression[property.value=/^_/]',
          message: 'Private fields of others are read in src/raw-socket.ts only.',
        },
      ],
    },
  },
  ...Object.entries(layers).map(([files, allowed]) => importsOf(files, allowed)),
  { files: ['src/cli/**', 'examples/**', 'bench/**'], rules: { 'no-console': 'off' } },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
);
