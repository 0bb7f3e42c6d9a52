import { defineConfig } from 'vitest/config';

// Where CI wants the figures of a run beside the summary.
const report = process.env['VITEST_REPORT'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Makes dist/, which the tests of the command run.
    globalSetup: ['test/setup/build.ts'],
    // Fails every test that leaves a handle, a timer or a listener behind.
    setupFiles: ['test/setup/leak-check.ts'],
    // The tests talk to real sockets; two files at a time is what a machine of two cores can serve.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
