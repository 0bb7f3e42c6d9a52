import { defineConfig } from 'vitest/config';

// Where CI wants the figures of a run beside the summary.
const report = process.env['VITEST_REPORT'];

export default defineConfig({
  resolve: {
    // The command's own files, in tests that import them, take the library's sources.
    alias: [
      { find: /^ws-conn-adapter$/, replacement: `${import.meta.dirname}/src/index.ts` },
      { find: /^ws-conn-adapter\/(\w+)$/, replacement: `${import.meta.dirname}/src/$1/index.ts` },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'wsconn/test/**/*.test.ts'],
    // Makes dist/ and wsconn/dist/, which the tests of the command run.
    globalSetup: ['test/setup/build.ts'],
    // Fails every test that leaves a handle, a timer or a listener behind.
    setupFiles: ['test/setup/leak-check.ts'],
    // Most of what the tests do is to wait for real programs and idle limits: more files at a time
    // than cores.
    maxWorkers: 4,
    // To find what hangs, not what is slow: a busy machine takes several times as long.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
